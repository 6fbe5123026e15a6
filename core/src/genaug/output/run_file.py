"""The record of a run: what decided the bytes of an output. The only place that writes and reads that file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genaug.errors import DataError
from genaug.output.files import RUN
from genaug.storage import read_json, write_json

LAYOUT = 2  # of an output; 1: genaug 0.1.0 before the number was written, which is read as well


def write_run(folder: Path, record: Mapping[str, Any], written: Mapping[str, str]) -> None:
    """Write the file into a folder. written: {file: SHA-256} of the records and shards."""
    write_json(folder / RUN, {**record, "layout": LAYOUT, "written": dict(written)})


def has_run(folder: Path) -> bool:
    """Whether a folder holds the file."""
    return (folder / RUN).is_file()


def read_run(folder: Path) -> dict[str, Any] | None:
    """The values of the file; None where it is not there, or holds no JSON table.

    Raises DataError for an output of a newer genaug.
    """
    values = read_json(folder / RUN) if folder.is_dir() else None
    if not isinstance(values, dict):
        return None
    layout = values.get("layout", 1)
    if isinstance(layout, int) and layout > LAYOUT:
        raise DataError(f"{folder} has the layout {layout}, and this genaug reads up to {LAYOUT}; update genaug")
    return values


def require_class_folders(out: Path) -> None:
    """Raise DataError for the output of a run whose images lie in shards, where class folders are needed."""
    name = (read_run(out) or {}).get("format", "folder")
    if name != "folder":
        raise DataError(f"the images of {out} lie in shards ({name}); expected class folders: run with --format folder")
