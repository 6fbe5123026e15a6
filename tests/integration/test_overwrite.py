"""--overwrite replaces an output of other settings: it removes what genaug wrote, and no file of anybody else."""

import json

import pytest
from genaug.storage import locked

from tests.commands import QUICK
from tests.folders import contents, fill


@pytest.fixture
def out(splits, tmp_path, genaug):
    """The output of a run with a model."""
    assert genaug("run", splits, "-g", "vae", "--per-class", 1, *QUICK, "-o", tmp_path / "out").code == 0
    return tmp_path / "out"


def again(genaug, data, out, *more):
    return genaug("run", data, "-g", "oversample", "--per-class", 2, "-o", out, *more)


def everything(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "lock"}


@pytest.mark.parametrize("more", [(), ("--format", "parquet"), ("--only-synthetic",)])
def test_an_overwritten_output_is_that_of_a_run_into_an_empty_folder(splits, tmp_path, genaug, out, more):
    assert again(genaug, splits, out, *more).code == 4
    assert again(genaug, splits, out, *more, "--overwrite").code == 0
    assert again(genaug, splits, tmp_path / "fresh", *more).code == 0
    assert contents(out) == contents(tmp_path / "fresh")
    assert {path.name for path in out.iterdir()} == {path.name for path in (tmp_path / "fresh").iterdir()}
    assert genaug("verify", out).code == 0


def test_an_interrupted_output_is_overwritten(splits, genaug, out):
    for name in ("run.json", "provenance.jsonl", "train", "test"):
        path = out / name
        path.rename(out.parent / f"gone-{name}")
    assert again(genaug, splits, out, "--overwrite").code == 0
    assert not (out / "models/vae").exists()


@pytest.mark.parametrize("name", ["mine.txt", "train/cat/mine.png", "models/vae/notes.txt", "notes/mine.txt", "odd.pt"])
def test_a_file_of_somebody_else_stops_it_before_anything_is_removed(splits, genaug, out, name):
    (out / name).parent.mkdir(exist_ok=True)
    (out / name).write_bytes(b"mine")
    before = everything(out)
    found = again(genaug, splits, out, "--overwrite")
    assert found.code == 4
    assert f"{out / name} was not written by genaug" in found.err
    assert everything(out) == before


def test_a_link_is_somebody_elses(splits, tmp_path, genaug, out):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/x").write_bytes(b"mine")
    (out / "linked").symlink_to(tmp_path / "mine")
    assert again(genaug, splits, out, "--overwrite").code == 4
    assert (tmp_path / "mine/x").read_bytes() == b"mine"


def test_an_edited_card_stops_it(splits, genaug, out):
    (out / "README.md").write_text("my own words", "utf-8")
    found = again(genaug, splits, out, "--overwrite")
    assert (found.code, "was edited" in found.err) == (4, True)
    assert (out / "train").is_dir()


def test_the_same_settings_repeat_nothing(splits, genaug, out):
    model = out / "models/vae/000.safetensors"
    before = model.stat().st_mtime_ns
    assert genaug("run", splits, "-g", "vae", "--per-class", 1, *QUICK, "-o", out, "--overwrite").code == 0
    assert model.stat().st_mtime_ns == before


def test_a_folder_that_is_no_output_is_not_overwritten(splits, tmp_path, genaug):
    fill(tmp_path / "other", {"a": 1})
    found = again(genaug, splits, tmp_path / "other", "--overwrite")
    assert (found.code, "holds something else" in found.err) == (4, True)
    assert again(genaug, splits, splits, "--overwrite").code == 4
    assert (splits / "train/cat/0.png").exists()


def test_a_study_is_not_overwritten(splits, genaug, out):
    (out / ".genaug/request.json").write_text(json.dumps({"study": 1}), "utf-8")
    found = again(genaug, splits, out, "--overwrite")
    assert (found.code, "is no output of genaug run" in found.err) == (4, True)


def test_an_output_that_another_run_writes_is_not_overwritten(splits, genaug, out):
    with locked(out / ".genaug"):
        before = everything(out)
        assert again(genaug, splits, out, "--overwrite").code == 4
        assert everything(out) == before


def test_a_request_that_cannot_be_fulfilled_removes_nothing(splits, genaug, out):
    before = everything(out)
    assert again(genaug, splits, out, "--overwrite", "--recipe", "anneal").code == 2
    assert again(genaug, splits, out, "--overwrite", "--per-class", 10**6).code == 2
    assert everything(out) == before
