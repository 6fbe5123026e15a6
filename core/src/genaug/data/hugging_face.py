"""Reads a Hugging Face Dataset, or a DatasetDict of splits, and writes one; image files are used unchanged."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from genaug.data.in_memory import InMemoryImage, scan_samples
from genaug.data.labels import class_name
from genaug.data.scan import Scan
from genaug.errors import DataError, UsageError

_MISSING = "a Hugging Face data set needs the library datasets; install it with `pip install datasets`"
File = tuple[bytes, str, str]  # of an image: its bytes, its name, and the name of its class


@dataclass(frozen=True)
class Columns:
    """How a Hugging Face data set names things. label_feature: the type of its labels. in_splits: is it a DatasetDict.

    label_feature is None where the labels are to be the class names' numbers in order.
    """

    image: str = "image"
    label: str = "label"
    label_feature: Any = None
    in_splits: bool = False


def columns_of(data: Any) -> Columns | None:
    """The columns of a Hugging Face Dataset or of the train of a DatasetDict; None for any other data."""
    if not is_hugging_face(data):
        return None
    in_splits = isinstance(data, Mapping)
    train = data["train"] if in_splits and "train" in data else data
    if isinstance(train, Mapping):
        return None
    image, label = _columns(train)
    return Columns(image, label, train.features[label], in_splits)


def to_hugging_face(splits: Mapping[str, Iterable[File]], classes: Sequence[str], columns: Columns) -> Any:
    """Image files as a Dataset, or as a DatasetDict of several splits or where `columns` is of one.

    Raises UsageError where the library datasets is not installed.
    """
    try:
        from datasets import ClassLabel, Dataset, DatasetDict, Features, Image
    except ImportError as error:
        raise UsageError(_MISSING) from error
    feature = ClassLabel(names=list(classes)) if columns.label_feature is None else columns.label_feature
    features = Features({columns.image: Image(), columns.label: feature})
    tables = {}
    for split, files in splits.items():
        rows = [
            (({"bytes": data, "path": PurePosixPath(name).name}), _label(label, feature)) for data, name, label in files
        ]
        images, labels = ([row[place] for row in rows] for place in (0, 1))
        tables[split] = Dataset.from_dict({columns.image: images, columns.label: labels}, features=features)
    return DatasetDict(tables) if columns.in_splits or len(tables) > 1 else tables["train"]


def _label(name: str, feature: Any) -> Any:
    """The label of a class, as the data set holds it: its number, or its name in the type of the column."""
    if getattr(feature, "names", None) is not None:
        return feature.names.index(name)
    return int(name) if "int" in str(feature.dtype) else name


def is_hugging_face(data: Any) -> bool:
    """Whether data is a Dataset or a DatasetDict; found out without importing the library datasets."""
    kinds = {(kind.__module__.partition(".")[0], kind.__name__) for kind in type(data).__mro__}
    return bool(kinds & {("datasets", "Dataset"), ("datasets", "DatasetDict")})


def from_hugging_face(data: Any, classes: Sequence[str] | None = None) -> Scan:
    """The images of a Dataset (all for training), or of a DatasetDict with train and perhaps validation (val) and test.

    The image column is the only one with the feature Image, otherwise the one named image or img. The label column is
    the only ClassLabel, otherwise the one named label or labels, which holds texts or whole numbers. Formats and
    transforms of the data set are not applied. Raises DataError for data that cannot be used, UsageError for an unknown
    class.
    """
    splits = data if isinstance(data, Mapping) else {"train": data}
    return scan_samples({name: _samples(dataset, f" of {name}") for name, dataset in splits.items()}, classes)


def _samples(dataset: Any, of_split: str) -> Iterator[InMemoryImage]:
    from datasets import Image

    image, label = _columns(dataset)
    _check_images(dataset.features[image], image)
    rows = dataset.with_format(None).select_columns([image, label]).cast_column(image, Image(decode=False))
    names = getattr(dataset.features[label], "names", None)
    for index, row in enumerate(rows):
        where = f"row {index}{of_split}"
        content, suffix = _content(row[image] or {}, where)
        yield InMemoryImage(content, _label_name(row[label], names, where), where, suffix)


def _columns(dataset: Any) -> tuple[str, str]:
    """The column of images and that of labels; raises DataError."""
    return _column(dataset, "Image", ("image", "img")), _column(dataset, "ClassLabel", ("label", "labels"))


def _column(dataset: Any, feature: str, usual: tuple[str, str]) -> str:
    """The only column with that feature, otherwise the column with a usual name."""
    found = [name for name, kind in dataset.features.items() if type(kind).__name__ == feature]
    found = found if len(found) == 1 else [name for name in usual if name in dataset.features]
    if not found:
        raise DataError(
            f"expected one {feature} column, or one called {' or '.join(usual)}, got the columns "
            f"{', '.join(dataset.features)}; rename the right column with rename_column()"
        )
    return str(found[0])


def _check_images(kind: Any, column: str) -> None:
    """Raise DataError for a column that holds neither images nor paths or bytes of their files."""
    if type(kind).__name__ != "Image" and getattr(kind, "dtype", "") not in ("string", "binary"):
        raise DataError(
            f"expected images, or paths or bytes of image files, in the column {column}, got {type(kind).__name__}; "
            "turn it into datasets.Image() with cast_column()"
        )


def _content(image: Mapping[str, Any], where: str) -> tuple[bytes | Path, str]:
    """The bytes of an image file, or its path, and its suffix."""
    data, path = image.get("bytes"), image.get("path") or ""
    suffix = PurePosixPath(path).suffix
    if data is not None:
        return data, suffix if suffix[1:].isalnum() else ""
    if not Path(path).is_file():
        raise DataError(
            f"{where}: expected the bytes of an image or the path of a file that exists, got {path or 'nothing'!r}"
        )
    return Path(path), suffix


def _label_name(label: Any, names: Sequence[str] | None, where: str) -> str:
    if names is None or label is None:
        return class_name(label, where)
    if not 0 <= label < len(names):
        raise DataError(f"{where}: expected a label in [0, {len(names)}), got {label}; remove rows without a label")
    return str(names[label])
