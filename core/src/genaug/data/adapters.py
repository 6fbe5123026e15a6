"""Other doors to the same images: data sets of other libraries become a LoadedFolder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from genaug.data.folder import LoadedFolder, load_scan
from genaug.data.scan import FoundFile, Scan, chosen, relative
from genaug.errors import DataError


def from_image_folder(
    dataset: Any, *, classes: Sequence[str] | None = None, size: tuple[int, int] | None = None, resize: str = "auto"
) -> LoadedFolder:
    """A torchvision ImageFolder: exactly its `samples`, as training images; its transform is not applied.

    The folder's path gives the same images to train on where ImageFolder finds the same files.
    Raises DataError when nothing is left, UsageError for an unknown class.
    """
    root = Path(dataset.root)
    names = {label: name for name, label in dataset.class_to_idx.items()}
    wanted = chosen(classes, dataset.class_to_idx)
    files = [_found(Path(path), root, names[label]) for path, label in dataset.samples if names[label] in wanted]
    if not files:
        raise DataError(f"the ImageFolder of {root} has no samples of the wanted classes; expected at least one image")
    found = Scan(root, root, {"train": tuple(files)}, {"train": "train"}, wanted, ())
    return load_scan(found, size=size, policy=resize)


def _found(path: Path, root: Path, label_name: str) -> FoundFile:
    return FoundFile(path, "train", label_name, relative(path, root))
