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


def test_classes_that_failed_are_told(quality):
    row = quality._table([[run(0, 0.25, {"a": "too few"}), run(1, 0.75)]]).splitlines()[2]
    assert row.startswith("| `vae` (1 classes failed, which nothing here counts) | 2 |")
    assert "0.500 ± 0.354" in row
