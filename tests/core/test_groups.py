"""Groups that a user names: read from a file or a pattern, and never on both sides of a split."""

import json
from dataclasses import replace

import numpy as np
import pytest
from genaug.data.folder import load_folder
from genaug.data.groups import joined, named_groups
from genaug.errors import DataError, UsageError
from genaug.features import folds_of, near_groups
from genaug.studies.scored_images import ScoredImages
from genaug.studies.splits import split_folds
from genaug.testing.material import tiny_split

from tests.folders import fill

NAMES = ("cat/p1-a.png", "cat/p1-b.png", "cat/p2-a.png", "dog/p1-c.png", "dog/new.png")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (r"(p\d)-", {NAMES[0]: "p1", NAMES[1]: "p1", NAMES[2]: "p2", NAMES[3]: "p1"}),
        (r"cat/p\d", {NAMES[0]: "cat/p1", NAMES[1]: "cat/p1", NAMES[2]: "cat/p2"}),
    ],
)
def test_a_pattern_names_groups_by_its_parenthesis_or_its_match(text, wanted):
    assert named_groups(text, NAMES) == wanted


def test_a_file_names_groups_with_or_without_the_folder_of_the_split(tmp_path):
    path = tmp_path / "groups.csv"
    path.write_text("file,group\ncat/p1-a.png,one\ntrain/cat/p1-b.png,one\nunknown.png,two\n\n", "utf-8")
    assert named_groups(str(path), NAMES) == {NAMES[0]: "one", NAMES[1]: "one"}


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        ("cat/p1-a.png,one,more\n", DataError, "line 1 of .* has 3 columns"),
        ("other.png,one\n", UsageError, "puts no image into a group"),
    ],
)
def test_a_file_that_helps_nothing_is_refused(tmp_path, content, error, words):
    (tmp_path / "groups.csv").write_text(content, "utf-8")
    with pytest.raises(error, match=words):
        named_groups(str(tmp_path / "groups.csv"), NAMES)


@pytest.mark.parametrize(("text", "words"), [("(p1", "regular expression"), ("nothing", "puts no image into a group")])
def test_a_pattern_that_is_none_or_matches_nothing_is_refused(text, words):
    with pytest.raises(UsageError, match=words):
        named_groups(text, NAMES)


def test_groups_of_near_duplicates_and_of_the_user_are_joined():
    near = np.array([0, 1, 1, 3, 4, 5])
    assert joined(near, ["x", "x", "", "y", "", "y"]).tolist() == [0, 0, 0, 3, 4, 3]
    assert joined(near, [""] * 6).tolist() == near.tolist()


def grouped():
    split = tiny_split(1, 16, 16, counts=(8, 8))
    return replace(split, groups=tuple(f"g{row // 2}" if row % 4 < 2 else "" for row in range(16)))


def test_no_group_is_on_both_sides_of_a_split():
    split = grouped()
    groups = near_groups(split)
    assert (groups[0], groups[4], groups[12]) == (groups[1], groups[5], groups[13])
    assert groups[2] != groups[3]
    for fold in split_folds(split, folds=3, repeats=2, seed=0):
        assert not set(groups[fold.train]) & set(groups[fold.held_out])
    folds = folds_of(split, 0)
    assert all(len(set(folds[groups == group].tolist())) == 1 for group in groups)


def test_parts_of_a_split_keep_their_groups_and_groups_are_part_of_its_identity():
    split = grouped()
    assert split.with_label(1).groups == split.groups[8:]
    assert split.of_class(0).groups == split.groups[:8]
    assert split.fingerprint != replace(split, groups=()).fingerprint
    assert replace(split, groups=()).fingerprint == tiny_split(1, 16, 16, counts=(8, 8)).fingerprint


def test_a_folder_is_grouped_and_a_part_of_it_too(tmp_path):
    loaded = load_folder(fill(tmp_path / "data", {"cat": 4, "dog": 3})).grouped(r"/([012])\.png")
    train = loaded.train
    assert [group for name, group in zip(train.names, train.groups, strict=True) if name == "cat/3.png"] == [""]
    part = loaded.only_training_on({"cat/0.png", "cat/1.png", "dog/0.png"})
    assert sorted(part.train.groups) == ["0", "0", "1"]
    assert near_groups(part.train)[0] in near_groups(part.train)[1:]
    assert loaded.grouped(None) is loaded


def test_test_images_of_a_training_group_score_nothing(tmp_path):
    fill(tmp_path / "data/train", {"cat": 3, "dog": 3})
    fill(tmp_path / "data/test", {"cat": 5, "dog": 5}, seed=1)
    loaded = load_folder(tmp_path / "data").grouped(r"(\w+/[024])\.png")  # cat/0 is in both
    scored = ScoredImages.test(loaded)
    assert (len(scored.labels), scored.left_out) == (6, 4)


def test_a_study_of_groups_leaves_a_file_that_finds_them_again(tmp_path, genaug):
    data = fill(tmp_path / "data", {"cat": 6, "dog": 6})
    quick = ("-g", "oversample", "--folds", 2, "--repeats", 1, "--seeds", 1, "--steps", 2, "--select", "none")
    grouping = ("--groups", r"(\w+/[01])\.png", "--workers", 1, "-o", tmp_path / "out")
    assert genaug("study", data, *quick, "--per-class", 2, *grouping)[0] == 0
    assert json.loads((tmp_path / "out/study.json").read_text())["splits"]["done"] == 2
    assert genaug("train", tmp_path / "out", "-o", tmp_path / "model", "--workers", 1)[0] == 0
    code, _, told = genaug("study", data, *quick, "--groups", "(", "-o", tmp_path / "none")
    assert code == 2
    assert "groups: expected a CSV file" in told.replace("\n", " ")
