"""Writes the images of a mixed set in the format that was chosen."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from genaug.errors import UsageError
from genaug.output.files import SHARDS
from genaug.output.formats.entry import Entry
from genaug.output.formats.folder import write_folder
from genaug.output.formats.parquet import write_parquet
from genaug.output.formats.webdataset import write_webdataset

Write = Callable[[Mapping[str, Sequence[Entry]], Path, Sequence[str]], Iterator[dict[str, Any]]]
_SHARDED: dict[str, Write] = {"webdataset": write_webdataset, "parquet": write_parquet}


def images_folder(name: str) -> str:
    """The folder of OUT that holds the training images written in a format."""
    return SHARDS if name in _SHARDED else "train"


def check_format(name: str) -> None:
    """Raise UsageError, before anything is trained, for a format that cannot be written here."""
    if name == "parquet" and find_spec("pyarrow") is None:
        raise UsageError(
            "the format parquet needs pyarrow, which is not installed; install the extra parquet, in a clone of "
            'genaug: pip install "./core[parquet]"'
        )


def write_images(
    name: str, splits: Mapping[str, Sequence[Entry]], stage: Path, classes: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Write the images of every split in a format, one after another; yields their finished provenance lines."""
    sharded = _SHARDED.get(name)
    return write_folder(splits, stage) if sharded is None else sharded(splits, stage, classes)
