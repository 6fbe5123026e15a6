"""Writes a data set with a test split: copies of real files in train/, test/ and their class folders."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genaug.data.description import DescribedFolder, DescribedImages
from genaug.data.folder import changed_meanwhile
from genaug.errors import OutputError
from genaug.storage import copy_file, file_sha256, make_folder, move, real_path, remove


def write_test_split(folder: DescribedFolder, test: NDArray[np.bool_], out: Path) -> None:
    """Copy every image of a folder to OUT/train, OUT/test or OUT/val, under its own name; all or nothing.

    test: bool [N], which of the training images go to test. Raises OutputError for an OUT that holds something or
    overlaps the folder, DataError for a file that was changed since it was read.
    """
    _check(out, folder.scan.root)
    stage = out.with_name(f".{out.name}.genaug-part")
    remove(stage)
    try:
        for split, images in folder.splits.items():
            for row in range(len(images)):
                _copy(images, row, stage / ("test" if split == "train" and test[row] else split))
        if out.is_dir():  # it is empty
            remove(out)
        move(stage, out)
    finally:
        remove(stage)


def _check(out: Path, data: Path) -> None:
    target, source = real_path(out), real_path(data)
    if target == source or source in target.parents or target in source.parents:
        raise OutputError(f"the output {target} and the data {source} overlap; give an --out outside the data")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputError(f"the output {out} holds something already; give another --out")


def _copy(images: DescribedImages, row: int, home: Path) -> None:
    path = home / images.names[row]
    make_folder(path.parent)
    copy_file(images.paths[row], path)
    if file_sha256(path) != images.sha256[row]:
        raise changed_meanwhile(images.paths[row])
