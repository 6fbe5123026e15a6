"""Whatever a second run could reuse is checked first, and made again where it was damaged or edited."""

import json
import shutil
from pathlib import Path

import pytest

from tests.commands import QUICK
from tests.folders import contents


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-8])


def flip(path: Path) -> None:
    """Change one bit near the end, among the numbers."""
    data = bytearray(path.read_bytes())
    data[-3] ^= 16
    path.write_bytes(bytes(data))


def edit(path: Path) -> None:
    """Change a value of a JSON file that stays valid."""
    values = json.loads(path.read_text("utf-8"))
    values["losses"] = {}
    path.write_text(json.dumps(values), "utf-8")


FAULTS = [
    *((fault, "models/cvae/all.safetensors") for fault in (empty, cut, flip)),
    *((fault, "models/cvae/all.json") for fault in (empty, cut, edit)),
    *((fault, ".genaug/draws/*/*") for fault in (empty, cut, flip)),
    *((fault, ".genaug/judges/*") for fault in (empty, cut, flip)),
]


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Where the finished run of this module lies."""
    return tmp_path_factory.mktemp("kept")


@pytest.mark.parametrize(("fault", "pattern"), FAULTS)
def test_a_damaged_file_is_made_again(plain, tmp_path, genaug, kept, fault, pattern, caplog):
    (tmp_path / "few.yaml").write_text("judge_steps: 4\noverdraw: 2\n", "utf-8")
    options = ("--per-class", 2, "--config", tmp_path / "few.yaml", "--select", "novelty")
    run = ("run", plain, "-g", "cvae", *QUICK[:-2], *options, "-o")
    if not (kept / "out").exists():
        assert genaug(*run, kept / "out").code == 0
    out = shutil.copytree(kept / "out", tmp_path / "out")
    damaged = sorted(path for path in out.glob(pattern) if path.is_file())
    assert damaged
    for path in damaged:
        fault(path)
    found = genaug(*run, out)
    assert found.code == 0, found.err
    assert contents(out) == contents(kept / "out")
    for path in damaged:
        weights = path.with_suffix(".safetensors") if path.suffix == ".json" else path
        if path.suffix != ".json" or fault is edit:
            assert f"{weights} is not as this genaug wrote it, and is computed again" in caplog.text
    assert genaug("verify", out).code == 0


@pytest.mark.parametrize("fault", [empty, flip])
def test_a_damaged_set_of_a_study_is_made_again(plain, tmp_path, genaug, fault):
    quick = ("-g", "oversample", "--folds", 2, "--repeats", 1, "--seeds", 1, "--steps", 1, "--workers", 1)
    run = ("study", plain, *quick, "-o", tmp_path / "out", "--json")
    before = genaug(*run)
    assert before.code == 0
    stored = list((tmp_path / "out").rglob("synthetic-*.tensors"))
    assert stored
    whole = [path.read_bytes() for path in stored]
    for path in stored:
        fault(path)
    assert genaug(*run).code == 0
    assert [path.read_bytes() for path in stored] == whole


@pytest.mark.parametrize("fault", [empty, cut, flip, edit])
def test_sample_and_replay_refuse_a_damaged_model(plain, tmp_path, genaug, fault):
    out = tmp_path / "out"
    assert genaug("run", plain, "-g", "cvae", *QUICK, "--per-class", 2, "-o", out).code == 0
    fault(out / "models/cvae" / ("all.json" if fault is edit else "all.safetensors"))
    assert genaug("sample", out, "-n", 1, "-o", tmp_path / "more").code == 3
    assert genaug("replay", out / "train/cat/cvae-000000.png").code == 3
    assert not list((tmp_path / "more").rglob("*.png"))
