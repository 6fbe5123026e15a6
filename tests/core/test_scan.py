"""Every file of a folder gets its class and split, or is listed with the reason why it is left out."""

import os

import pytest
from genaug.data.scan import scan
from genaug.errors import DataError, UsageError


def put(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    return root


def names(found, split="train"):
    return [f"{file.label_name}:{file.name}" for file in found.splits[split]]


def reasons(found):
    return {entry.path: entry.reason for entry in found.skipped}


def test_class_folders_alone_are_the_training_split(tmp_path):
    found = scan(put(tmp_path, "b/2.png", "a/1.png", "a/0.png"))
    assert found.classes == ("a", "b")
    assert names(found) == ["a:a/0.png", "a:a/1.png", "b:b/2.png"]
    assert list(found.splits) == ["train"]


@pytest.mark.parametrize("word", ["val", "valid", "validation"])
def test_splits_are_found_under_their_usual_names_and_keep_them(tmp_path, word):
    found = scan(put(tmp_path, "train/a/1.png", f"{word}/a/2.png", "test/a/3.png"))
    assert list(found.splits) == ["train", "val", "test"]
    assert found.folder_names == {"train": "train", "val": word, "test": "test"}


def test_folders_inside_a_class_belong_to_it(tmp_path):
    assert names(scan(put(tmp_path, "a/x/y/1.png", "a/2.png"))) == ["a:a/2.png", "a:a/x/y/1.png"]


def test_a_class_that_is_called_train_is_a_class_when_it_holds_files_alone(tmp_path):
    assert scan(put(tmp_path, "train/1.png", "plane/1.png")).classes == ("plane", "train")


def test_splits_without_train_are_not_read_as_classes(tmp_path):
    with pytest.raises(DataError, match="no folder called train beside"):
        scan(put(tmp_path, "test/a/1.png", "val/a/1.png"))


def test_nothing_is_dropped_silently(tmp_path):
    files = ["a/1.png", "a/.hidden.png", "loose.png", ".git/x", "b/sub/2.png", "empty/.keep"]
    found = scan(put(tmp_path, *files))
    listed = [file.path.relative_to(tmp_path).as_posix() for file in found.splits["train"]] + list(reasons(found))
    for name in files:
        assert any(name == entry or name.startswith(f"{entry}/") for entry in listed), name
    assert "hidden" in reasons(found)["a/.hidden.png"]
    assert reasons(found)["empty"] == "a class folder without files"
    assert "outside the class folders" in reasons(found)["loose.png"]


def test_classes_of_other_splits_that_train_lacks_are_listed(tmp_path):
    found = scan(put(tmp_path, "train/a/1.png", "test/a/1.png", "test/b/1.png"))
    assert names(found, "test") == ["a:a/1.png"]
    assert "train has no image of this class" in reasons(found)["test/b"]


def test_links_that_leave_the_folder_lead_nowhere_or_in_circles_are_listed(tmp_path):
    outside = put(tmp_path / "outside", "x.png")
    root = put(tmp_path / "data", "a/1.png")
    (root / "a/out.png").symlink_to(outside / "x.png")
    (root / "a/gone.png").symlink_to(root / "nothing.png")
    (root / "a/up").symlink_to(root)
    (root / "a/self").symlink_to(root / "a/self")
    found = scan(root)
    assert names(found) == ["a:a/1.png"]
    assert reasons(found)["a/out.png"] == "a link that leaves the folder"
    assert reasons(found)["a/gone.png"] == "a link that leads nowhere"
    assert reasons(found)["a/up"] == "a link to a folder around it"
    assert "a/self" in reasons(found)


def test_a_link_inside_the_folder_is_followed_once(tmp_path):
    root = put(tmp_path, "a/real/1.png")
    (root / "a/twin").symlink_to(root / "a/real")
    found = scan(root)
    assert names(found) == ["a:a/real/1.png"]
    assert "read already" in reasons(found)["a/twin"]


def test_a_pipe_is_not_an_image(tmp_path):
    root = put(tmp_path, "a/1.png")
    os.mkfifo(root / "a/pipe.png")
    assert reasons(scan(root)) == {"a/pipe.png": "not a regular file"}


def test_chosen_classes_alone_are_used_and_the_others_listed(tmp_path):
    found = scan(put(tmp_path, "a/1.png", "b/1.png", "c/1.png"), ["c", "a"])
    assert found.classes == ("a", "c")
    assert "not among the chosen classes" in reasons(found)["b"]


def test_an_unknown_or_empty_choice_is_refused(tmp_path):
    put(tmp_path, "stop/1.png")
    with pytest.raises(UsageError, match="did you mean 'stop'"):
        scan(tmp_path, ["stpo"])
    with pytest.raises(UsageError, match="at least one class"):
        scan(tmp_path, [])


@pytest.mark.parametrize("name", ["two words", "it's", 'a"b', "a..b", "Žluťoučký 标志", "n" * 200, "[x]", "-g", "a\nb"])
def test_odd_class_names_are_classes(tmp_path, name):
    assert scan(put(tmp_path, f"{name}/1.png")).classes == (name,)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda root: root / "missing", "there is no folder"),
        (lambda root: root / ("x" * 300), "cannot be read: File name too long"),
        (lambda root: put(root, "file") / "file", "is a file"),
        (lambda root: root, "no class folders"),
        (lambda root: put(root, "loose.png"), "loose.png"),
    ],
)
def test_a_folder_without_classes_is_refused_with_a_reason(tmp_path, make, words):
    with pytest.raises(DataError, match=words):
        scan(make(tmp_path))
