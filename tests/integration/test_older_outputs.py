"""Outputs of older versions are read, or refused in one sentence that says what to do. tests/samples holds them."""

import json
import shutil
from pathlib import Path

import pytest

from tests.commands import QUICK

SAMPLES = Path(__file__).parents[1] / "samples"


@pytest.fixture
def old(tmp_path):
    """What genaug 0.1.0 wrote for `run data -g cvae=0.5,oversample=0.5 --per-class 2`, without genaug's own folder."""
    return Path(shutil.copytree(SAMPLES / "0.1.0", tmp_path / "old"))


def test_an_output_of_0_1_0_is_verified_and_shown(old, genaug, tmp_path):
    found = genaug("verify", old, "--json")
    assert found.code == 0, found.err
    assert json.loads(found.out)["counts"]["train"] == {"real": 7, "synthetic": 4, "unknown": 0}
    (old / "train/a/0.png").write_bytes(b"changed")
    assert genaug("verify", old).code == 8
    assert genaug("report", old).code == 0
    page = (old / "report.html").read_text("utf-8")
    assert "cvae" in page
    assert "is not what genaug wrote" not in page


@pytest.mark.parametrize("words", [("sample", ".", "-n", 1, "-o", "more"), ("replay", "train/a/cvae-000000.png")])
def test_models_of_0_1_0_are_refused_with_what_to_do(old, genaug, tmp_path, words):
    shutil.rmtree(old / "models/oversample")
    command, what, *options = words
    found = genaug(command, old / what, *(tmp_path / "more" if word == "more" else word for word in options))
    assert found.code == 3
    assert "has the older format 1, and this genaug reads format 2; run genaug run again" in " ".join(found.err.split())
    assert not (tmp_path / "more").exists()


def test_what_a_newer_genaug_wrote_is_refused_with_what_to_do(plain, genaug, tmp_path):
    out = tmp_path / "out"
    assert genaug("run", plain, "-g", "cvae", *QUICK, "--per-class", 1, "-o", out).code == 0
    model = out / "models/cvae/all.json"
    model.write_text(json.dumps(json.loads(model.read_text("utf-8")) | {"format": 9}), "utf-8")
    found = genaug("sample", out, "-n", 1, "-o", tmp_path / "more")
    assert found.code == 3
    assert "has the newer format 9" in found.err
    assert "update genaug" in found.err
    run = out / "run.json"
    run.write_text(json.dumps(json.loads(run.read_text("utf-8")) | {"layout": 9}), "utf-8")
    for command in ("verify", "report", "sample"):
        found = genaug(command, out, *(("-n", 1, "-o", tmp_path / "more") if command == "sample" else ()))
        assert found.code == 3
        assert "has the layout 9, and this genaug reads up to 2; update genaug" in " ".join(found.err.split())
