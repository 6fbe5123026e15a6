"""A study that a test split scores: generators trained anew, all on every training image."""

import json
import shutil

import pytest

from tests.folders import contents, fill

QUICK = ("-g", "oversample,classical", "--per-class", 3, "--steps", 2, "--seeds", 1, "--select", "none", "--workers", 1)


@pytest.fixture
def with_test(tmp_path):
    fill(tmp_path / "data/train", {"cat": 6, "dog": 4})
    fill(tmp_path / "data/test", {"cat": 9, "dog": 8}, seed=1)
    return tmp_path / "data"


def test_every_training_has_new_images_of_the_generators_and_all_are_scored_on_the_test_split(
    with_test, tmp_path, genaug
):
    code, shown, err = genaug("study", with_test, *QUICK, "--on", "split", "-o", tmp_path / "out", "--json")
    assert code == 0, err
    found = json.loads(shown)
    splits = {key: found["splits"][key] for key in ("on", "images", "done", "planned", "repeats")}
    assert splits == {"on": "split", "images": 17, "done": 3, "planned": 3, "repeats": 3}
    assert found["test"] is None
    assert "in 3 trainings, scored on 17 test images" in found["headline"]["sentence"]
    assert "for this training set" in found["headline"]["estimand"]
    drawn = {path: data for path, data in contents(tmp_path / "out/.genaug").items() if path.endswith(".tensors")}
    assert len(drawn) == len(set(drawn.values())) == 6
    page = (tmp_path / "out/report.html").read_text()
    assert "on all 10 training images, in 3 of 3 planned trainings" in page
    again = json.loads(genaug("study", with_test, *QUICK, "--on", "split", "-o", tmp_path / "out", "--json").out)
    assert again["arms"] == found["arms"]


def test_a_large_test_split_is_taken_and_a_small_one_is_not(with_test, tmp_path, genaug):
    small = ("study", with_test, *QUICK, "--folds", 2, "--repeats", 1, "-o", tmp_path / "small", "--json")
    assert json.loads(genaug(*small).out)["splits"]["on"] == "folds"
    shutil.rmtree(with_test / "test")
    fill(with_test / "test", {"cat": 30, "dog": 30}, seed=2)
    found = json.loads(genaug(*small[:-2], tmp_path / "large", "--json").out)
    assert (found["splits"]["on"], found["splits"]["images"]) == ("split", 60)


def test_without_a_test_split_it_is_refused(plain, tmp_path, genaug):
    code, _, told = genaug("study", plain, *QUICK, "--on", "split", "-o", tmp_path / "out")
    assert code == 2
    assert "--on split needs a test split: put images into a folder test/ beside train/" in told.replace("\n", " ")


def test_test_images_that_copy_training_images_do_not_score(with_test, tmp_path, genaug):
    copied = next((with_test / "train/cat").iterdir())
    (with_test / "test/cat/copy.png").write_bytes(copied.read_bytes())
    found = json.loads(
        genaug("study", with_test, *QUICK, "--on", "split", "--repeats", 2, "-o", tmp_path / "out", "--json").out
    )
    assert found["splits"]["images"] == 17
    assert [text for text in found["notes"] if "1 test image was left out" in text]
