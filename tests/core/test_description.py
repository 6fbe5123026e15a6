"""What `genaug inspect` reads: the same as a run reads, without pixels, torch or more memory for larger images."""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from genaug.data.description import describe_folder
from genaug.data.duplicates import thumbnail
from genaug.data.folder import load_folder
from genaug.data.resize import resize
from PIL import Image

from tests.folders import fill


@pytest.fixture
def damaged(splits):
    """The splits with a file cut short, a class without one readable image in train, and a file that is no image."""
    whole = (splits / "train/cat/0.png").read_bytes()
    (splits / "train/cat/0.png").write_bytes(whole[: len(whole) // 2])
    for path in (splits / "train/dog").iterdir():
        path.write_bytes(b"broken")
    (splits / "test/owl/notes.txt").write_text("no image", "utf-8")
    return splits


@pytest.mark.parametrize("folder", ["splits", "damaged"])
def test_describing_a_folder_says_the_same_as_loading_it(folder, request):
    path = request.getfixturevalue(folder)
    described, loaded = describe_folder(path), load_folder(path)
    for name in ("spec", "skipped", "resize", "notes", "left_out"):
        assert getattr(described, name) == getattr(loaded, name), name
    assert list(described.splits) == list(loaded.splits) == ["train", "test"]
    for split, images in described.splits.items():
        for name in ("names", "paths", "sha256", "hashes", "facts"):
            assert getattr(images, name) == getattr(loaded.splits[split], name), name
        assert np.array_equal(images.labels, loaded.splits[split].labels)
        assert np.array_equal(images.thumbnails, loaded.splits[split].thumbnails)
    assert np.array_equal(np.concatenate([one.thumbnails for one in loaded.splits.values()]), described.thumbnails)


def test_rows_stay_with_their_files_where_others_are_left_out(damaged):
    loaded = load_folder(damaged)
    left = [*(f"cat/{number}.png" for number in range(1, 6)), *(f"owl/{number}.png" for number in range(3))]
    assert list(loaded.splits["train"].names) == left
    for images in loaded.splits.values():
        for path, image, own in zip(images.paths, images.images, images.thumbnails, strict=True):
            pixels = np.asarray(Image.open(path))
            assert np.array_equal(resize(pixels, 16, 16, 3, "stretch"), image)
            assert np.array_equal(thumbnail(pixels), own)


def peak(read, *arguments, **options):
    """The most bytes that Python and NumPy held while it ran."""
    tracemalloc.start()
    try:
        read(*arguments, **options)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_describing_never_holds_the_pixels_of_all_images(tmp_path):
    side, count = 256, 40
    pixels = side * side * 3 * count
    folder = fill(tmp_path, {"a": count}, side=side)
    assert peak(describe_folder, folder) < pixels / 3
    assert peak(load_folder, folder, size=(side, side)) > pixels


def test_inspect_imports_neither_torch_nor_scipy(splits):
    code = (
        f"from genaug.cli.app import _exit_code; assert _exit_code(['inspect', {str(splits)!r}]) == 0;"
        "import sys; loaded = {'torch', 'scipy', 'sklearn', 'albumentations'} & set(sys.modules);"
        "assert not loaded, loaded"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_class_in_each_of_many_lines_is_shown_with_its_count(tmp_path, genaug):
    for number in range(1001):
        (tmp_path / f"class {number}").mkdir()
    fill(tmp_path / "made", {"a": 1}, side=16)
    picture = (tmp_path / "made/a/0.png").read_bytes()
    (tmp_path / "made/a/0.png").unlink()
    for number in range(1001):
        (tmp_path / f"class {number}/0.png").write_bytes(picture)
    shown = genaug("inspect", tmp_path)
    assert shown.code == 0, shown.err
    lines = shown.out.splitlines()
    assert lines[1] == "class       train"
    assert [line for line in lines if line.startswith("class 7 ")] == ["class 7     1"]
    assert sum(line.startswith("class ") for line in lines) == 1002
