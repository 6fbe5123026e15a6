"""The doors of Hugging Face: a Dataset, and a DatasetDict of splits; their files are taken as they are."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from genaug.data.labels import class_name
from genaug.data.scan import Scan
from genaug.data.scratch import Sample, scan_samples
from genaug.errors import DataError


def is_hugging_face(data: Any) -> bool:
    """Whether it is a Dataset or a DatasetDict, without importing their library."""
    kinds = {(kind.__module__.partition(".")[0], kind.__name__) for kind in type(data).__mro__}
    return bool(kinds & {("datasets", "Dataset"), ("datasets", "DatasetDict")})


def from_hugging_face(data: Any, classes: Sequence[str] | None = None) -> Scan:
    """A Dataset as training images, or a DatasetDict with train and perhaps validation (or val) and test.

    The image column is the one of the feature Image, else the one called image or img; the label column the one
    ClassLabel, else label or labels, of texts or whole numbers. Formats and transforms are not applied.
    Raises DataError or UsageError.
    """
    splits = data if isinstance(data, Mapping) else {"train": data}
    return scan_samples({name: _samples(dataset, f" of {name}") for name, dataset in splits.items()}, classes)


def _samples(dataset: Any, of_split: str) -> Iterator[Sample]:
    from datasets import Image

    image, label = _column(dataset, "Image", ("image", "img")), _column(dataset, "ClassLabel", ("label", "labels"))
    _check_images(dataset.features[image], image)
    rows = dataset.with_format(None).select_columns([image, label]).cast_column(image, Image(decode=False))
    names = getattr(dataset.features[label], "names", None)
    for index, row in enumerate(rows):
        where = f"row {index}{of_split}"
        content, suffix = _content(row[image] or {}, where)
        yield Sample(content, _label_name(row[label], names, where), where, suffix)


def _column(dataset: Any, feature: str, usual: tuple[str, str]) -> str:
    """The one column of that feature, else the one of a usual name."""
    found = [name for name, kind in dataset.features.items() if type(kind).__name__ == feature]
    found = found if len(found) == 1 else [name for name in usual if name in dataset.features]
    if not found:
        raise DataError(
            f"expected one {feature} column, or one called {' or '.join(usual)}, got the columns "
            f"{', '.join(dataset.features)}; rename_column() tells which"
        )
    return str(found[0])


def _check_images(kind: Any, column: str) -> None:
    """Raise DataError for a column that holds neither images nor paths or bytes of their files."""
    if type(kind).__name__ != "Image" and getattr(kind, "dtype", "") not in ("string", "binary"):
        raise DataError(
            f"expected images, or paths or bytes of image files, in the column {column}, got {type(kind).__name__}; "
            "cast_column() makes it datasets.Image()"
        )


def _content(image: Mapping[str, Any], where: str) -> tuple[bytes | Path, str]:
    """The bytes of an image file, or its path, and its suffix."""
    data, path = image.get("bytes"), image.get("path") or ""
    suffix = PurePosixPath(path).suffix
    if data is not None:
        return data, suffix if suffix[1:].isalnum() else ""
    if not Path(path).is_file():
        raise DataError(f"{where}: expected an image with its bytes or a file that is there, got {path or 'nothing'!r}")
    return Path(path), suffix


def _label_name(label: Any, names: Sequence[str] | None, where: str) -> str:
    if names is None or label is None:
        return class_name(label, where)
    if not 0 <= label < len(names):
        raise DataError(f"{where}: expected a label in [0, {len(names)}), got {label}; leave unlabelled rows out")
    return str(names[label])
