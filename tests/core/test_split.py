"""genaug split: a test split of copies, with near-duplicates on one side."""

import json
from pathlib import Path

import numpy as np
import pytest
from genaug.data.description import describe_folder
from genaug.data.duplicates import near_pairs
from genaug.data.test_split import choose_test_split
from genaug.errors import DataError
from genaug.output.test_split import write_test_split
from PIL import Image

from tests.folders import contents, fill

COUNTS = {"cat": 20, "dog": 10, "owl": 3}


@pytest.fixture
def data(tmp_path):
    return fill(tmp_path / "data", COUNTS, side=32)


def nearly(path: Path, copy: Path) -> None:
    """A copy of an image that differs a little, as the next frame of a film does."""
    pixels = np.asarray(Image.open(path)).astype(np.int64) + 3
    copy.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(copy)


def sides(out):
    """{class/file: train or test} of a split data set."""
    return {path.relative_to(out / path.parts[len(out.parts)]).as_posix(): path.parts[len(out.parts)]
            for path in out.rglob("*.png")}  # fmt: skip


def test_a_share_of_each_class_is_copied_to_test_and_the_rest_to_train(data, tmp_path, genaug):
    before = contents(data)
    shown = json.loads(genaug("split", data, "--test", 0.2, "-o", tmp_path / "out", "--json").out)
    assert shown["counts"] == {
        "cat": {"train": 16, "test": 4},
        "dog": {"train": 8, "test": 2},
        "owl": {"train": 2, "test": 1},
    }
    found = contents(tmp_path / "out")
    assert {name.partition("/")[2]: data for name, data in found.items()} == before
    assert contents(data) == before
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["test", "train"]
    assert genaug("verify", tmp_path / "out").code != 1
    assert genaug("plan", tmp_path / "out", "-g", "oversample").code == 0


def test_near_duplicates_are_on_one_side(data, tmp_path, genaug):
    for number in range(8):
        nearly(data / f"cat/{number}.png", data / f"cat/again/{number}.png")
    nearly(data / "cat/9.png", data / "dog/cat.png")
    out = tmp_path / "out"
    assert "groups of near-duplicates, each kept on one side: 9" in genaug("split", data, "--test", 0.4, "-o", out).out
    side = sides(out)
    assert all(side[f"cat/{number}.png"] == side[f"cat/again/{number}.png"] for number in range(8))
    assert side["cat/9.png"] == side["dog/cat.png"]
    described = describe_folder(out)
    train, test = (described.splits[name].thumbnails for name in ("train", "test"))
    pairs = near_pairs(np.concatenate([train, test]))
    assert len(pairs) == 9
    assert not ((pairs[:, 0] < len(train)) & (pairs[:, 1] >= len(train))).any()


def test_the_choice_depends_on_pixels_and_seed_alone(data, tmp_path, genaug):
    for number, path in enumerate(sorted((data / "cat").iterdir(), reverse=True)):
        copy = tmp_path / "renamed/cat" / f"x{number:02d}.png"
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    genaug("split", data, "-o", tmp_path / "one", "--classes", "cat")
    genaug("split", tmp_path / "renamed", "-o", tmp_path / "two")
    genaug("split", data, "-o", tmp_path / "three", "--classes", "cat", "--seed", 1)
    one, two, three = ({path.read_bytes() for path in (tmp_path / name / "test/cat").iterdir()}
                       for name in ("one", "two", "three"))  # fmt: skip
    assert one == two
    assert one != three


def test_a_class_of_one_picture_stays_in_train(data, tmp_path, genaug):
    for number in range(4):
        (data / "fox").mkdir(exist_ok=True)
        (data / f"fox/{number}.png").write_bytes((data / "owl/0.png").read_bytes())
        (data / f"fox/{number}.png").write_bytes(bytes_of_one_picture())
    found = genaug("split", data, "-o", tmp_path / "out")
    assert "no test image, since all images are near-duplicates of each other: fox" in found.out
    assert len(list((tmp_path / "out/train/fox").iterdir())) == 4


def bytes_of_one_picture() -> bytes:
    import io

    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(9).integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(buffer, "png")
    return buffer.getvalue()


def test_validation_images_stay_where_they_are(tmp_path, genaug):
    data = tmp_path / "data"
    fill(data / "train", COUNTS, side=32)
    fill(data / "val", {"cat": 2}, seed=5, side=32)
    nearly(data / "train/cat/0.png", data / "val/cat/near.png")
    assert genaug("split", data, "--test", 0.5, "-o", tmp_path / "out").code == 0
    assert (tmp_path / "out/train/cat/0.png").exists(), "its near-duplicate is in val"
    assert contents(tmp_path / "out/val") == contents(data / "val")


@pytest.mark.parametrize("share", [0, -0.1, 0.6, float("nan")])
def test_an_impossible_share_is_refused(data, tmp_path, genaug, share):
    found = genaug("split", data, "--test", share, "-o", tmp_path / "out")
    assert (found.code, "expected a share of the images above 0 and at most 0.5" in found.err) == (2, True)
    assert not (tmp_path / "out").exists()


def test_every_class_keeps_half_of_its_images(tmp_path):
    fill(tmp_path / "data", {"a": 2, "b": 3, "c": 5}, side=32)
    chosen = choose_test_split(describe_folder(tmp_path / "data"), 0.5, 0)
    labels = describe_folder(tmp_path / "data").splits["train"].labels
    assert [int(chosen.test[labels == label].sum()) for label in range(3)] == [1, 1, 2]


def test_what_cannot_be_split_is_refused_and_nothing_is_written(data, tmp_path, genaug):
    out, splits = tmp_path / "out", tmp_path / "splits"
    fill(splits / "train", {"a": 2})
    fill(splits / "test", {"a": 1}, seed=1)
    assert "has a test split already" in genaug("split", splits, "-o", out).err
    assert genaug("split", data, "-o", data / "inside").code == 4
    fill(tmp_path / "full", {"a": 1})
    before = contents(tmp_path / "full")
    assert genaug("split", data, "-o", tmp_path / "full").code == 4
    assert contents(tmp_path / "full") == before
    fill(tmp_path / "alone", {"a": 1, "b": 1})
    assert "no image of" in genaug("split", tmp_path / "alone", "-o", out).err
    assert genaug("run", data, "-g", "oversample", "--per-class", 1, "-o", tmp_path / "run").code == 0
    assert "holds synthetic images of genaug" in genaug("split", tmp_path / "run", "-o", out).err
    assert not out.exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_file_that_changes_meanwhile_stops_it_and_nothing_is_left(data, tmp_path):
    folder = describe_folder(data)
    chosen = choose_test_split(folder, 0.2, 0)
    (data / "owl/0.png").write_bytes((data / "owl/1.png").read_bytes())
    with pytest.raises(DataError, match="was changed or removed while genaug used it"):
        write_test_split(folder, chosen.test, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
