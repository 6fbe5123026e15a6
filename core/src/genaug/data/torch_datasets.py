"""Reads torchvision's ImageFolder, any map-style torch data set of (image, label), and Subsets of them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from genaug.data.in_memory import InMemoryImage, scan_samples
from genaug.data.labels import plain_label
from genaug.data.scan import FoundFile, Scan, chosen, relative
from genaug.errors import DataError


def is_map_style(data: Any) -> bool:
    """Whether data has a length and gives items by number, as a torch data set; plain lists and arrays do not count."""
    streams = any(kind.__name__ == "IterableDataset" for kind in type(data).__mro__)
    plain = isinstance(data, str | list | tuple | Mapping) or hasattr(data, "__array__")
    return hasattr(data, "__getitem__") and hasattr(data, "__len__") and not (streams or plain)


def is_image_folder(dataset: Any) -> bool:
    """Whether the data set is an ImageFolder, or a Subset of one."""
    inner, _ = _unwrapped(dataset)
    return all(hasattr(inner, name) for name in ("root", "samples", "class_to_idx"))


def from_image_folder(dataset: Any, classes: Sequence[str] | None = None) -> Scan:
    """The `samples` of an ImageFolder or a Subset of one, as training images; its transform is not applied.

    The folder's path gives the same training images if `scan` finds the same files as ImageFolder.
    Raises DataError if no image is left or a Subset uses one file twice, UsageError for an unknown class.
    """
    inner, places = _unwrapped(dataset)
    if len(set(places)) < len(places):
        raise DataError("the Subset of an ImageFolder uses a file twice; expected each file at most once")
    root, names = Path(inner.root), {label: name for name, label in inner.class_to_idx.items()}
    wanted = chosen(classes, inner.class_to_idx)
    samples = [inner.samples[place] for place in places]
    files = [_found(Path(path), root, names[label]) for path, label in samples if names[label] in wanted]
    if not files:
        raise DataError(f"the ImageFolder of {root} has no samples of the wanted classes; expected at least one image")
    return Scan(root, root, {"train": tuple(files)}, {"train": "train"}, wanted, ())


def from_torch_dataset(dataset: Any, classes: Sequence[str] | None = None) -> Scan:
    """The items (image, label) of a map-style data set, as training images; transforms of the data set are applied.

    image: a PIL image; or an array or tensor, uint8 or float in [0, 1], [H, W], [H, W, C] or [C, H, W].
    label: a text or a whole number. Class names come from `class_to_idx` or `classes` of the data set, or of the data
    set inside its attribute `dataset` (as in a Subset); without them the numbers are the names.
    Raises DataError for data that cannot be used, UsageError for an unknown class.
    """
    return scan_samples({"train": _samples(dataset, _class_names(dataset))}, classes)


def _found(path: Path, root: Path, label_name: str) -> FoundFile:
    return FoundFile(path, "train", label_name, relative(path, root))


def _unwrapped(dataset: Any) -> tuple[Any, list[int]]:
    """The data set inside Subsets of Subsets, and the indices of its samples that they select."""
    if not all(hasattr(dataset, name) for name in ("dataset", "indices")):
        return dataset, list(range(len(dataset)))
    inner, places = _unwrapped(dataset.dataset)
    return inner, [places[int(index)] for index in dataset.indices]


def _class_names(dataset: Any) -> dict[int, str]:
    known, classes = getattr(dataset, "class_to_idx", None), getattr(dataset, "classes", None)
    if isinstance(known, Mapping):
        return {int(label): str(name) for name, label in known.items()}
    if isinstance(classes, list | tuple):
        return {label: str(name) for label, name in enumerate(classes)}
    return _class_names(dataset.dataset) if hasattr(dataset, "dataset") else {}


def _samples(dataset: Any, names: Mapping[int, str]) -> Iterator[InMemoryImage]:
    for index in range(len(dataset)):
        item, where = dataset[index], f"item {index}"
        if not isinstance(item, tuple | list) or len(item) != 2:
            raise DataError(f"{where}: expected (image, label), got {type(item).__name__}")
        yield InMemoryImage(item[0], _label_name(item[1], names, where), where)


def _label_name(label: Any, names: Mapping[int, str], where: str) -> str:
    value = plain_label(label, where)
    if isinstance(value, str) or not names:
        return str(value)
    if value not in names:
        raise DataError(f"{where}: expected the label of one of the data set's {len(names)} classes, got {value}")
    return names[value]
