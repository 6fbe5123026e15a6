"""Which format writes the images of a mixed data set."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from genaug.errors import UsageError
from genaug.mixing.formats.entry import Entry
from genaug.mixing.formats.folder import write_folder
from genaug.mixing.formats.parquet import write_parquet
from genaug.mixing.formats.webdataset import write_webdataset

Write = Callable[[Mapping[str, Sequence[Entry]], Path, Sequence[str], int], Iterator[dict[str, Any]]]
_SHARDED: dict[str, Write] = {"webdataset": write_webdataset, "parquet": write_parquet}


def check_format(name: str) -> None:
    """Raise UsageError, before anything is trained, for a format that cannot be written here."""
    if name == "parquet" and find_spec("pyarrow") is None:
        raise UsageError("the format parquet needs pyarrow, which is not here; install genaug[parquet]")


def write_images(
    name: str, splits: Mapping[str, Sequence[Entry]], stage: Path, classes: Sequence[str], shard_bytes: int
) -> list[dict[str, Any]]:
    """Write the images of every split in a format; gives their finished lines of provenance, sorted by file name."""
    sharded = _SHARDED.get(name)
    lines = write_folder(splits, stage) if sharded is None else sharded(splits, stage, classes, shard_bytes)
    return sorted(lines, key=lambda line: str(line["file_name"]))
