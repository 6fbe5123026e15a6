"""Class folders: one file per image, as common loaders expect them."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from genaug.data.folder import changed_meanwhile
from genaug.output.formats.entry import Entry
from genaug.storage import copy_file, file_sha256, make_folder, real_path, write_bytes


def write_folder(splits: Mapping[str, Sequence[Entry]], stage: Path) -> Iterator[dict[str, Any]]:
    """Write each image to the file that its line names; the user's own files are copied unchanged."""
    make_folder(stage / "train")
    for entries in splits.values():
        for folder in sorted({Path(entry.line["file_name"]).parent for entry in entries}):
            make_folder(stage / folder)
        for entry in entries:
            yield entry.line | {"sha256": _written(entry, stage / entry.line["file_name"])}


def _written(entry: Entry, path: Path) -> str:
    """Write one file and return its SHA-256."""
    if entry.source is not None:
        if entry.source.is_file() and _is_at_home(entry.source, entry.home):  # copying a pipe would not end
            copy_file(entry.source, path)
            if (written := file_sha256(path)) == entry.line["source_sha256"]:
                return written
        raise changed_meanwhile(entry.source)
    data = entry.make()
    write_bytes(path, data)
    return hashlib.sha256(data).hexdigest()


def _is_at_home(source: Path, home: Path | None) -> bool:
    """Whether a file lies in its folder, also where it has become a link since it was read."""
    return home is None or real_path(source).is_relative_to(real_path(home))
