"""Bad input: one clear message, a documented exit code, no lost files, never a traceback."""

import errno
import os
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from genaug.storage import locked
from PIL import Image

from tests.commands import QUICK, command, finished, forked
from tests.folders import contents, fill


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def corrupt(data: Path) -> None:
    for path in data.rglob("*.png"):
        path.write_bytes(b"no image at all")


def text_in(folder: Path) -> None:
    (folder / "cat/text.png").write_text("hello", "utf-8")


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--per-class", "-1"], 2, "per_class"),
        (["--per-class", "1e9"], 2, "valid integer"),
        (["--per-class", "1000000000"], 2, "per_class"),
        (["--per-class", "900000"], 2, "at most 1,000,000"),
        (["--per-class", "many"], 2, "valid integer"),
        (["--balance", "most"], 2, "max, median"),
        (["--balance", "-3"], 2, "max, median"),
        (["--balance", "max", "--per-class", "3"], 2, "one of per_class, balance"),
        (["-g", "cdcgna"], 2, "did you mean 'cdcgan'"),
        (["-s", "epocs=3"], 2, "did you mean 'epochs'"),
        (["-s", "widht=3"], 2, "did you mean 'width'"),
        (["-s", "width=0"], 2, "width"),
        (["-s", "width"], 2, "key=value"),
        (["--preset", "smal"], 2, "did you mean 'small'"),
        (["--preset", "paper"], 2, "--size 64"),
        (["--set", "network=paper"], 2, "--size 64"),
        (["--device", "cuda:99"], 2, "cuda:99"),
        (["--device", "abacus"], 2, "abacus"),
        (["--size", "7"], 2, "multiples of 8"),
        (["--size", "big"], 2, "64 or 64x96"),
        (["--size", "64x"], 2, "64 or 64x96"),
        (["--resize", "squash"], 2, "squash"),
        (["--classes", "cat,dgo"], 2, "did you mean 'dog'"),
        (["--seed", "-4"], 2, "seed"),
        (["--workers", "0"], 2, "workers"),
        (["--config", "missing.yaml"], 2, "missing.yaml"),
        (["--no-such-option"], 2, "--no-such-option"),
    ],
)
def test_a_wrong_option_is_named_and_nothing_is_written(plain, tmp_path, genaug, options, code, words):
    exit_code, _, errors = genaug("run", plain, "-g", "cdcgan", "-o", tmp_path / "out", *options)
    assert (exit_code, words in errors) == (code, True), errors
    assert errors.count("error:") == 1
    assert "Traceback" not in errors
    assert not (tmp_path / "out").exists()


def test_a_config_file_with_a_wrong_key_names_the_nearest(plain, tmp_path, genaug):
    config = tmp_path / "run.yaml"
    config.write_text("per_clas: 3\n", "utf-8")
    code, _, errors = genaug("run", plain, "--config", config)
    assert code == 2
    assert "did you mean 'per_class'" in errors


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: None, "there is no folder"),
        (lambda folder: folder.write_text("a file", "utf-8"), "is a file"),
        (lambda folder: folder.mkdir(), "no class folders"),
        (lambda folder: (folder / "cat").mkdir(parents=True), "no class folders"),
        (lambda folder: corrupt(fill(folder, {"cat": 2, "dog": 2})), "image"),
        (lambda folder: fill(folder / "test", {"cat": 2}), "no folder called train"),
    ],
)
def test_an_unusable_folder_is_reported_and_nothing_is_written(tmp_path, genaug, make, words):
    data = tmp_path / "data"
    make(data)
    before = sorted(tmp_path.rglob("*"))
    for verb in ("run", "inspect", "plan"):
        code, _, errors = genaug(verb, data)
        assert (code, words in errors, "Traceback" in errors) == (3, True, False), errors
    assert sorted(tmp_path.rglob("*")) == before


def test_odd_files_are_skipped_listed_and_left_alone(plain, tmp_path, genaug, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2_000)
    text_in(plain)
    whole = (plain / "cat/0.png").read_bytes()
    (plain / "cat/truncated.png").write_bytes(whole[: len(whole) // 2])
    Image.fromarray(np.zeros((100, 100), np.uint8)).save(plain / "dog/bomb.png")
    (tmp_path / "outside.png").write_bytes(whole)
    (plain / "owl/link.png").symlink_to(tmp_path / "outside.png")
    (plain / "nobody").mkdir()
    before = files(plain)
    code, _, errors = genaug("run", plain, "-g", "oversample", "--per-class", 1, "-o", tmp_path / "out")
    assert code == 0
    for name in ("text.png", "truncated.png", "bomb.png", "link.png", "nobody"):
        assert name in errors
        assert name in (tmp_path / "out/README.md").read_text("utf-8")
    assert files(plain) == before
    assert "nobody" not in {path.name for path in (tmp_path / "out/train").iterdir()}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_skipped_and_listed(plain, tmp_path, genaug):
    (plain / "cat/0.png").chmod(0)
    code, _, errors = genaug("run", plain, "-g", "oversample", "--per-class", 1, "-o", tmp_path / "out")
    assert code == 0
    assert "cat/0.png: permission denied" in errors


def test_too_few_images_are_refused_before_training_with_advice(tmp_path, genaug):
    data = fill(tmp_path / "data", {"cat": 4, "dog": 1})
    code, _, errors = genaug("run", data, "-g", "dcgan", "--per-class", 1)
    assert code == 3
    assert "'dog' has 1" in errors
    assert "--classes" in errors
    assert genaug("run", data, "-g", "cdcgan", *QUICK, "--per-class", 1, "-o", tmp_path / "out")[0] == 0


def test_an_output_that_holds_something_else_is_left_alone(plain, tmp_path, genaug):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work", "utf-8")
    code, _, errors = genaug("run", plain, "-g", "oversample", "-o", out)
    assert code == 4
    assert "holds something else" in errors
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]


def test_a_strangers_file_in_the_output_stops_the_next_run(plain, tmp_path, genaug):
    out = tmp_path / "out"
    assert genaug("run", plain, "-g", "oversample", "-o", out)[0] == 0
    (out / "train/cat/mine.png").write_bytes((plain / "cat/0.png").read_bytes())
    code, _, errors = genaug("run", plain, "-g", "oversample", "--per-class", 9, "-o", out)
    assert code == 4
    assert "mine.png" in errors
    assert (out / "train/cat/mine.png").exists()


@pytest.mark.parametrize("out", ["", "cat", ".."])
def test_an_output_inside_or_around_the_data_is_refused(plain, genaug, out):
    before = files(plain)
    code, _, errors = genaug("run", plain, "-g", "oversample", "-o", plain / out)
    assert code == 4
    assert "overlap" in errors
    assert files(plain) == before


def test_two_runs_at_once_into_one_output_are_refused(plain, tmp_path):
    out = tmp_path / "out"
    with locked(out / ".genaug"):
        done = finished("run", plain, "-g", "oversample", "-o", out)
    assert done.returncode == 4
    assert "another run writes to" in done.stderr


def test_a_full_disk_loses_nothing_and_the_next_run_goes_on(plain, tmp_path, genaug):
    out = tmp_path / "out"
    arguments = ("run", plain, "-g", "cdcgan", *QUICK, "--per-class", 2, "-o", out)

    def small_files_only() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    before = files(plain)
    done = subprocess.run(command(*arguments), capture_output=True, text=True, check=False, preexec_fn=small_files_only)
    assert done.returncode == 4, done.stderr
    assert "could not write" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (out / "run.json").exists()
    assert files(plain) == before
    assert genaug(*arguments)[0] == 0
    assert genaug(*arguments[:-1], tmp_path / "fresh")[0] == 0
    assert contents(out) == contents(tmp_path / "fresh")


@pytest.mark.skipif(shutil.which("mount") is None or os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_disk_that_is_really_full_is_reported(plain, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", disk]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let us mount a small disk")
    try:
        done = finished("run", plain, "-g", "cdcgan", *QUICK, "-o", disk / "out")
    finally:
        subprocess.run(["umount", disk], check=True)
    assert done.returncode == 4, done.stderr
    assert os.strerror(errno.ENOSPC).lower() in done.stderr.lower() or "disk is full" in done.stderr


@pytest.mark.parametrize("verb", ["run", "plugins"])
def test_a_broken_plugin_spoils_only_itself(plain, tmp_path, genaug, install, verb):
    install("broken-one", "raise RuntimeError('no luck today')\n")
    if verb == "plugins":
        code, shown, errors = genaug("plugins")
        assert "no luck today" in errors
        assert "cdcgan" in shown
    else:
        code, _, _ = genaug("run", plain, "-g", "oversample", "-o", tmp_path / "out")
    assert code == 0


def test_two_plugins_of_one_name_are_an_error_that_names_both(plain, tmp_path, genaug, install):
    install("other-oversample", TWIN)
    code, _, errors = genaug("run", plain, "-g", "oversample", "-o", tmp_path / "out")
    assert code == 5
    assert "other-oversample" in errors
    assert " and " in errors
    assert genaug("run", plain, "-g", "classical", "-o", tmp_path / "out")[0] == 0


def test_ctrl_c_ends_with_130_and_a_second_run_goes_on(plain, tmp_path, genaug):
    arguments = ["run", plain, "-g", "cdcgan", *QUICK, "-s", "steps=80", "--per-class", 2]
    process = subprocess.Popen(
        command(*arguments, "-o", tmp_path / "out"),
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(tmp_path / "out/.genaug/checkpoints", lambda: process.poll() is None)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "run the same command again" in errors
    assert "Traceback" not in errors
    assert genaug(*arguments, "-o", tmp_path / "out")[0] == 0
    assert genaug(*arguments, "-o", tmp_path / "fresh")[0] == 0
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


@pytest.mark.parametrize(("generator", "workers"), [("cdcgan", 1), ("dcgan", 2)])
def test_killed_at_any_stage_and_run_again_gives_the_same_bytes(plain, tmp_path, genaug, generator, workers):
    arguments = ["run", plain, "-g", generator, *QUICK, "-s", "steps=12", "--per-class", 2, "--workers", workers]
    stages = ["checkpoints", "draws"]  # those in which workers act
    if generator == "cdcgan":  # this one selects, and is killed in every stage of the process itself too
        judged = tmp_path / "judged.yaml"
        judged.write_text("judge_steps: 20\n", "utf-8")
        arguments += ["--config", judged, "--select", "novelty,consistency"]
        stages = ["lock", *stages, "judges", "stage"]
    assert genaug(*arguments, "-o", tmp_path / "fresh")[0] == 0
    for stage in stages:
        process = forked(*arguments, "-o", tmp_path / "out")
        wait_for(tmp_path / "out/.genaug" / stage, process.is_alive)
        process.kill()
        process.join()
    deadline = time.monotonic() + 60
    while (code := genaug(*arguments, "-o", tmp_path / "out")[0]) == 4 and time.monotonic() < deadline:
        time.sleep(0.2)  # a killed run's workers let go of nothing but themselves
    assert code == 0
    assert contents(tmp_path / "out") == contents(tmp_path / "fresh")


def wait_for(path: Path, alive: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not path.exists() and alive():
        assert time.monotonic() < deadline, f"{path} never came"
        time.sleep(0.01)


TWIN = """
from genaug.generators.plugin import OversampleConfig, _oversample
from genaug.hookspecs import GeneratorDescription, hookimpl


@hookimpl
def genaug_generators():
    return [GeneratorDescription(name="oversample", summary="A twin", rank=1, config=OversampleConfig,
                                 presets={"auto": _oversample}, factory="genaug.generators.oversample:Oversample",
                                 conditioning="class", api=1)]
"""
