"""The tables of benchmarks: what could not be measured is left out, and what failed is told."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def quality():
    path = Path(__file__).parents[2] / "benchmarks" / "quality.py"
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
