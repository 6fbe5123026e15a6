"""The tables of benchmarks: what could not be measured is left out, and what failed is told."""

import importlib.util
import signal
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
WATCHED = """
import os, sys
sys.path.insert(0, sys.argv[1])
from kills_processes import Kill, Watch
os.makedirs("inside")
os.chdir("inside")
sys.addaudithook(Watch(os.getcwd(), 1, Kill("run", int(sys.argv[2]))))
os.mkdir("../outside")
os.mkdir("a")
with open("a/12", "w") as file:
    file.write("whole")
with open("a/12") as file:
    file.read()
os.replace("a/12", "a/last")
"""


@pytest.fixture(scope="module")
def quality():
    path = BENCHMARKS / "quality.py"
    spec = importlib.util.spec_from_file_location("quality", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(seed, value, failures=None):
    measured = {column: {"value": value, "real": 0.5} for column in ("tstr", "mmd[classifier]")}
    return {"generator": "vae", "seed": seed, "minutes": 2.0, "failures": failures or {}} | measured


def test_a_value_that_could_not_be_computed_does_not_cost_the_table(quality):
    row = quality._table([[run(0, 0.25), run(1, None)]]).splitlines()[2]
    assert row == "| `vae` | 2 | 2.0 | - | - | - | - | 0.250 | 0.250 |"


def test_failed_classes_are_reported(quality):
    row = quality._table([[run(0, 0.25, {"a": "too few"}), run(1, 0.75)]]).splitlines()[2]
    assert row.startswith("| `vae` (1 classes failed, which nothing here counts) | 2 |")
    assert "0.500 ± 0.354" in row


def test_a_folder_is_measured_once_and_gives_a_table(quality, splits, tmp_path, monkeypatch, capsys):
    asked = ["quality.py", str(splits), "--size", "16", "--out", str(tmp_path / "out"), "--generators", "oversample"]
    monkeypatch.setattr("sys.argv", [*asked, "--seeds", "1", "--per-class", "2", "--judge-steps", "5"])
    quality.main()
    table = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert [row.split(" | ")[0] for row in table[2:]] == ["| `oversample`", "| real images"]
    assert "-" not in table[2].split(" | ")[2:]
    files = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.*")}
    assert {path.name for path in files} == {"oversample-0.json", "000.png", "001.png", "002.png"}
    quality.main()
    assert table[2] in capsys.readouterr().out
    assert files == {path: path.read_bytes() for path in files}


@pytest.mark.parametrize(
    ("number", "left", "noted"),
    [
        (1, {}, ["mkdir a"]),
        (2, {"12": "!"}, ["mkdir a", "open a/#"]),
        (3, {"12": "whole"}, ["mkdir a", "open a/#", "rename a/# to a/last"]),
    ],
)
def test_a_watched_process_is_killed_at_the_chosen_operation(tmp_path, number, left, noted):
    command = [sys.executable, "-c", WATCHED, str(BENCHMARKS), str(number)]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.returncode == -signal.SIGKILL, found.stderr
    assert {path.name: path.read_text("utf-8") for path in (tmp_path / "inside").glob("a/*")} == left
    assert found.stdout.splitlines() == [f"run\t{row}\t{one}" for row, one in enumerate(noted, 1)] + ["killed"]


def module(name):
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def test_a_row_of_the_peers_has_the_ratio_of_medians_and_the_spread_of_the_rounds(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    ours = [{"images_per_second": speed, "loss": 0.5} for speed in (20.0, 30.0, 90.0)]
    theirs = [{"images_per_second": speed} for speed in (10.0, 20.0, 30.0)]
    row = module("peers").row("one", "plain loop", ours, theirs)
    assert row == "| one | plain loop | 30.0 | 20.0 | **1.50** (1.50 to 3.00) | 0.5 / - |"


def test_each_benchmark_replaces_its_own_part_of_the_page(tmp_path):
    results, page = module("results"), tmp_path / "RESULTS.md"
    results.write_part(page, "ssim", "old")
    results.write_part(page, "startup", "kept")
    results.write_part(page, "ssim", "new")
    text = page.read_text()
    assert "old" not in text
    assert text.index("new") < text.index("kept")
    assert text.startswith("# Results")


@pytest.mark.parametrize(("case", "sides"), [("vae", ("genaug", "plain"))])
def test_both_sides_of_a_case_train_and_have_similar_losses(case, sides, monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    runs = module("peers_sides").RUNS
    found = [runs[case, side](6) for side in sides]
    assert all(figures["images_per_second"] > 0 for figures in found)
    assert found[0]["loss"] == pytest.approx(found[1]["loss"], rel=0.2)
