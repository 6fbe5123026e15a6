"""`genaug evaluate` from the command line, offline."""

import json
import shutil

import numpy as np
import pytest
import torch
from genaug.evaluation import load_inputs
from genaug.testing.material import tiny_split
from PIL import Image

from tests.folders import fill_alike

CHEAP = "novelty[pixels],mmd[pixels],ssim,coverage[pixels],fid[pixels]"


@pytest.fixture
def folders(tmp_path):
    """A real folder of two classes, and the output of a run on it."""
    split = tiny_split(3, 16, 16, counts=(8, 5))
    for row, (label, image) in enumerate(zip(split.labels, split.images, strict=True)):
        folder = tmp_path / "data" / "ab"[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{row}.png")
    return tmp_path / "data", tmp_path / "out"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))


def test_the_output_of_a_run_is_compared_by_its_synthetic_images_alone(folders, genaug):
    data, out = folders
    assert genaug("run", data, "-g", "oversample", "--per-class", 6, "-o", out).code == 0
    found = genaug("evaluate", data, out, "--metrics", CHEAP, "--json")
    rows = {row["name"]: row for row in json.loads(found.out)}
    assert found.code == 0
    assert set(rows) == {"copies[pixels]", "mmd[pixels]", "ssim", "coverage[pixels]", "fid[pixels]"}
    assert rows["copies[pixels]"]["value"] == 1.0
    assert rows["copies[pixels]"]["low"] is None  # of 12 parents
    assert set(rows["copies[pixels]"]["classes"]) == {"a", "b"}
    assert rows["fid[pixels]"]["low"] is None
    assert "unreliable below 2,048 images" in rows["fid[pixels]"]["note"]


def test_values_of_each_class_are_shown_with_by_class(folders, genaug):
    data, _ = folders
    assert "few images" not in genaug("evaluate", data, data, "--metrics", "coverage[pixels]").out
    shown = genaug("evaluate", data, data, "--metrics", "coverage[pixels]", "--by-class").out
    lines = [line.split() for line in shown.splitlines() if "few images" in line]
    assert [[words[place] for place in (1, 3)] for words in lines] == [
        ["coverage[pixels]", "a"],
        ["coverage[pixels]", "b"],
    ]


def test_the_parents_that_a_run_recorded_are_known(folders, genaug):
    """The run copies training images, so each synthetic image equals its parent."""
    data, out = folders
    assert genaug("run", data, "-g", "oversample", "--per-class", 20, "--select", "none", "-o", out).code == 0
    inputs = load_inputs(data, out)
    assert (inputs.parents >= 0).all()
    assert np.array_equal(inputs.train.images[inputs.parents[:, 0]], inputs.synthetic)
    assert torch.equal(inputs.sources, inputs.parents[:, 0])
    alone = folders[1].with_name("alone")
    run = genaug("run", data, "-g", "oversample", "--per-class", 3, "--select", "none", "--only-synthetic", "-o", alone)
    assert run.code == 0
    assert (load_inputs(data, alone).parents >= 0).all()


def test_the_training_folder_of_an_output_stands_for_the_output(folders, genaug):
    data, out = folders
    genaug("run", data, "-g", "oversample", "--per-class", 6, "-o", out)
    assert len(load_inputs(data, out / "train").synthetic) == len(load_inputs(data, out).synthetic) == 12
    assert not any("left out" in text for text in load_inputs(data, out).notes)
    next((out / "train" / "a").glob("oversample*")).write_bytes(b"nothing")
    assert sum("left out" in text for text in load_inputs(data, out).notes) == 1


def test_files_that_are_left_out_are_listed(folders, genaug):
    data, _ = folders
    (data / "a" / "broken.png").write_bytes(b"nothing")
    found = genaug("evaluate", data, data, "--metrics", "ssim")
    assert found.code == 0
    assert "left out: a/broken.png" in found.err


def test_test_images_that_are_training_images_are_left_out(folders, genaug, tmp_path):
    data, _ = folders
    whole = tmp_path / "whole"
    shutil.copytree(data, whole / "train")
    shutil.copytree(data, whole / "test")
    found = genaug("evaluate", whole, data, "--metrics", "tstr", "--json")
    assert (found.code, json.loads(found.out)) == (0, [])
    assert "13 of 13 test images are near-duplicates of training images" in found.err
    assert "tstr is left out" in found.err


@pytest.mark.parametrize("parents", [5, None, [["x"]], "a"])
def test_parents_that_are_no_names_are_an_error_of_one_sentence(folders, genaug, parents):
    data, out = folders
    genaug("run", data, "-g", "oversample", "--per-class", 2, "-o", out)
    lines = [json.loads(line) for line in (out / "provenance.jsonl").read_text().splitlines()]
    text = "".join(json.dumps(line | ({"parents": parents} if line["synthetic"] else {})) + "\n" for line in lines)
    (out / "provenance.jsonl").write_text(text)
    found = genaug("evaluate", data, out, "--metrics", "ssim")
    assert (found.code, "provenance.jsonl is not what genaug wrote" in found.err) == (3, True)


@pytest.mark.parametrize("damage", [b"[" * 200_000, b"{", b"[]\n", b"\xff\xfe", b"{}\n", b""])
def test_damaged_records_of_an_output_are_an_error_of_one_sentence(folders, genaug, damage):
    data, out = folders
    genaug("run", data, "-g", "oversample", "--per-class", 2, "-o", out)
    (out / "provenance.jsonl").write_bytes(damage)
    found = genaug("evaluate", data, out, "--metrics", "ssim")
    assert found.code == 3
    assert "provenance.jsonl is not what genaug wrote" in found.err or "holds no synthetic image" in found.err
    assert "fault of genaug" not in found.err


def test_all_images_of_a_folder_without_records_are_compared(folders, genaug):
    data, _ = folders
    found = genaug("evaluate", data, data, "--metrics", "novelty[pixels]")
    assert found.code == 0
    assert "copies[pixels]" in found.out
    assert "real: the value of real images in place of synthetic ones" in found.out


def test_without_weights_auto_falls_back_to_classifiers_and_says_so(tmp_path, genaug):
    data = fill_alike(tmp_path / "data", {"a": 2, "b": 2})
    found = genaug("evaluate", data, data, "--metrics", "kid")
    assert found.code == 0
    assert "kid[classifier]" in found.out
    assert "weights of inception are not on this machine" in found.err


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--metrics", "fid[inception]"], 3, "weights of inception are not on this machine"),
        (["--features", "inception"], 3, "--allow-download"),
        (["--metrics", "fdi"], 2, "did you mean 'fid'"),
        (["--metrics", "fid[inceptio]"], 2, "did you mean 'inception'"),
        (["--features", "pixel"], 2, "did you mean 'pixels'"),
        (["--metrics", "mmd", "--weights", "nothing.pth"], 2, "expected a file, got nothing.pth"),
        (["--size", "65"], 2, "multiples of 8"),
        (["--resize", "foo"], 2, "unknown resize 'foo'"),
        (["--metrics", ","], 2, "expected names separated by commas"),
        (["--metrics", "is[pixels]"], 2, "pixels gives no class probabilities"),
        (["--seed", "-1"], 2, "seed: expected a whole number from 0"),
        (["--set", "novelty=1"], 2, "expected metric:key=value"),
        (["--metrics", "novelty[pixels]", "--set", "novelty:quantile=7"], 2, "quantile"),
    ],
)
def test_wrong_options_are_an_error_of_one_sentence(folders, genaug, options, code, words):
    data, _ = folders
    found = genaug("evaluate", data, data, *options)
    assert found.code == code
    assert words in found.err
    assert "Traceback" not in found.err


def test_a_class_that_the_real_folder_lacks_is_named(folders, genaug, tmp_path):
    data, _ = folders
    (tmp_path / "other" / "c").mkdir(parents=True)
    Image.new("RGB", (16, 16)).save(tmp_path / "other" / "c" / "1.png")
    found = genaug("evaluate", data, tmp_path / "other", "--metrics", "ssim")
    assert found.code == 2
    assert "must be among ['a', 'b'], got ['c']" in found.err


def test_a_run_without_synthetic_images_has_nothing_to_compare(folders, genaug):
    data, out = folders
    genaug("run", data, "-g", "oversample", "--per-class", 0, "-o", out)
    found = genaug("evaluate", data, out, "--metrics", "ssim")
    assert found.code == 3
    assert "holds no synthetic image" in found.err
