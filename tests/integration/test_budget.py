"""A run within a given time: shorter trainings that are chosen once, and found again after a kill."""

import json
import os
import signal
import time

import numpy as np
import pytest
from genaug import UsageError, augment

from tests.commands import forked
from tests.folders import contents

LONG = ("-g", "cdcgan", "--preset", "small", "-s", "steps=4000", "-s", "width=4", "-s", "latent=4", "--no-check")
CHOICE = ".genaug/budget.json"
LONG = (*LONG, "--select", "none", "--per-class", 4, "--budget", "16s")


def record(out):
    return json.loads((out / "run.json").read_text())


def steps(out):
    return record(out)["fits"][0]["steps"]


def test_a_run_ends_within_its_budget_says_what_it_gave_up_and_is_not_repeated(plain, tmp_path, genaug):
    out = tmp_path / "out"
    code, shown, _ = genaug("run", plain, *LONG, "-o", out)
    assert code == 0
    assert 0 < steps(out) < 4_000
    sentence = f"to keep the budget of 16 s: cdcgan trains for {steps(out):,} of 4,000 steps"
    assert sentence in shown.replace("\n", " ")
    assert sentence in (out / "report.html").read_text()
    before = contents(out / "train")
    assert genaug("run", plain, *LONG, "-o", out)[0] == 0
    assert json.loads((out / "timings.json").read_text())["fits"][0]["reused"]
    assert contents(out / "train") == before


def test_a_killed_run_goes_on_with_the_lengths_that_it_began_with(plain, tmp_path, genaug):
    given = (*LONG, "-s", "steps=300", "--budget", "10m")  # enough for all of them
    kill_at_a_checkpoint(tmp_path / "first", "run", plain, *given)
    chosen = json.loads((tmp_path / "first" / CHOICE).read_text())
    assert chosen["lengths"]["training"] == 1.0
    chosen["lengths"]["training"] = 0.5  # as measured on a slower machine
    outs = killed, whole = tmp_path / "killed", tmp_path / "whole"
    for out in outs:
        (out / ".genaug").mkdir(parents=True)
        (out / CHOICE).write_text(json.dumps(chosen))
    kill_at_a_checkpoint(killed, "run", plain, *given)
    for out in outs:
        assert genaug("run", plain, *given, "-o", out)[0] == 0
        assert steps(out) == 150
    assert contents(killed / "train") == contents(whole / "train")


def kill_at_a_checkpoint(out, *words):
    process = forked(*words, "-o", out)
    while not list(out.glob(".genaug/checkpoints/*/*")):
        assert process.is_alive()
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert not (out / "run.json").exists()


def test_a_budget_that_is_too_short_writes_nothing_and_says_how_much_is_needed(plain, tmp_path, genaug):
    code, _, told = genaug("run", plain, *LONG[:-1], "3s", "-o", tmp_path / "out")
    assert code == 2
    assert "a budget of 3 s is too short for this run, which needs about" in told.replace("\n", " ")
    assert not (tmp_path / "out").exists()


def test_a_folder_of_something_else_is_refused_before_anything_is_written_there(plain, tmp_path, genaug):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    assert genaug("run", plain, *LONG, "-o", tmp_path / "out")[0] == 4
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.txt"]


def test_a_plan_shows_what_a_budget_would_give_up(plain, genaug):
    shown = json.loads(genaug("plan", plain, *LONG, "--json").out)["within_budget"]
    assert shown["seconds"] == 16
    assert "cdcgan trains for" in shown["gave_up"][0]


def test_measuring_ends_where_drawing_takes_too_long(plain, genaug):
    slow = ("-s", "timesteps=10000", "-s", "sampler=ancestral", "-s", "sampling_steps=10000", "-s", "width=8")
    code, _, told = genaug("plan", plain, "-g", "cddpm", "--preset", "small", *slow, "--no-check", "--budget", "12s")
    assert code == 2
    assert "drawing the first few images takes more than 3 s" in told.replace("\n", " ")


def test_more_images_are_drawn_from_the_same_models(plain, tmp_path, genaug):
    given = (*LONG, "-s", "steps=20", "--budget", "5m", "-o", tmp_path / "out")
    assert genaug("run", plain, *given)[0] == 0
    assert genaug("run", plain, *given, "--per-class", 6)[0] == 0
    assert json.loads((tmp_path / "out" / "timings.json").read_text())["fits"][0]["reused"]


def test_augment_takes_a_budget():
    images, labels = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 3), dtype=np.uint8), np.arange(8) % 2
    settings = {"steps": 4_000, "width": 4, "latent": 4}
    with pytest.raises(UsageError, match="a budget of 3 s is too short for this run, which needs about"):
        augment((images, labels), "cdcgan", per_class=2, preset="small", settings=settings, select=(), budget="3s")
