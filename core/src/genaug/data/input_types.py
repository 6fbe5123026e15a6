"""Loads labelled images of every supported input type; the only module that tells the input types apart."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from genaug.data.folder import LoadedFolder, load_scan
from genaug.data.hugging_face import from_hugging_face, is_hugging_face
from genaug.data.in_memory import InMemoryImage, scan_samples
from genaug.data.labels import class_name
from genaug.data.scan import Scan, scan
from genaug.data.torch_datasets import from_image_folder, from_torch_dataset, is_image_folder, is_map_style
from genaug.errors import DataError, UsageError


def load_any(data: Any, classes: Sequence[str] | None, size: tuple[int, int] | None, resize: str) -> LoadedFolder:
    """The images of a folder, an ImageFolder, a torch or Hugging Face data set, or arrays (X, y).

    The same pixels under the same class names give the same training images, whatever the input type. Images from
    memory are written to a scratch folder, which is removed together with the LoadedFolder's `scan.owner`.
    Raises DataError if the data cannot be used, UsageError for another type of input or an unknown class.
    """
    return load_scan(_found(data, classes), size=size, policy=resize)


def from_arrays(images: Any, labels: Any, classes: Sequence[str] | None = None) -> Scan:
    """Images [N, H, W], [N, H, W, C] or [N, C, H, W], uint8 or float in [0, 1], or a list of images; labels [N].

    Images may be arrays, tensors or PIL images. The label, as text, is the class name. Raises DataError for data that
    cannot be used, UsageError for an unknown class.
    """
    check_arrays(images, labels)
    pairs = enumerate(zip(images, labels, strict=True))
    samples = (InMemoryImage(image, class_name(label, f"y[{place}]"), f"X[{place}]") for place, (image, label) in pairs)
    return scan_samples({"train": samples}, classes)


def check_arrays(images: Any, labels: Any) -> None:
    """Raise DataError if there is not one label per image, or the array of images has an unusable shape."""
    if len(images) != len(labels):
        raise DataError(f"expected one label per image, got {len(images)} images and {len(labels)} labels")
    if (shape := getattr(images, "shape", None)) is not None and len(shape) not in (3, 4):
        raise DataError(f"X: expected the shape [N, H, W], [N, H, W, C] or [N, C, H, W], got {list(shape)}")


def _found(data: Any, classes: Sequence[str] | None) -> Scan:
    if isinstance(data, str | Path):
        return scan(Path(data), classes)
    if is_hugging_face(data):
        return from_hugging_face(data, classes)
    if isinstance(data, tuple) and len(data) == 2 and all(map(_has_items, data)):
        return from_arrays(*data, classes)
    if not is_map_style(data):
        raise UsageError(
            "expected a folder, an ImageFolder, a map-style torch data set of (image, label), a Hugging Face Dataset "
            f"or DatasetDict, or arrays (X, y), got {type(data).__name__}"
        )
    return from_image_folder(data, classes) if is_image_folder(data) else from_torch_dataset(data, classes)


def _has_items(data: Any) -> bool:
    return hasattr(data, "__getitem__") and hasattr(data, "__len__") and not isinstance(data, str)
