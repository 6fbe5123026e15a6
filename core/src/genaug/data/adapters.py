"""Other doors to the same images: data sets of other libraries become a LoadedFolder."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from genaug.data.folder import LoadedFolder, load_scan
from genaug.data.scan import FoundFile, Scan
from genaug.errors import DataError, unknown


def from_image_folder(
    dataset: Any, *, classes: Sequence[str] | None = None, size: tuple[int, int] | None = None, resize: str = "auto"
) -> LoadedFolder:
    """A torchvision ImageFolder: exactly its `samples`, as training images; its transform is not applied.

    The folder's path gives the same images to train on where ImageFolder finds the same files.
    """
    root = Path(dataset.root)
    names = {label: name for name, label in dataset.class_to_idx.items()}
    for name in classes or ():
        if name not in dataset.class_to_idx:
            raise unknown("class", name, dataset.class_to_idx)
    wanted = sorted(names.values() if classes is None else set(classes))
    files = [_found(Path(path), root, names[label]) for path, label in dataset.samples]
    kept = tuple(file for file in files if file.label_name in wanted)
    if not kept:
        raise DataError(f"the ImageFolder of {root} has no samples; expected at least one image")
    return load_scan(Scan(root, {"train": kept}, {"train": "train"}, tuple(wanted), ()), size=size, policy=resize)


def _found(path: Path, root: Path, label_name: str) -> FoundFile:
    return FoundFile(path, "train", label_name, Path(os.path.relpath(path, root)).as_posix())
