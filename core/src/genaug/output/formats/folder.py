"""Class folders: one file per image, as common loaders expect them."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from genaug.data.folder import changed_meanwhile
from genaug.output.formats.entry import Entry, UserFile
from genaug.storage import copy_file, file_sha256, make_folder, real_path, write_bytes


def write_folder(splits: Mapping[str, Sequence[Entry]], stage: Path) -> Iterator[dict[str, Any]]:
    """Write each image to the file of its name; the user's own files are copied unchanged. Returns their lines."""
    folders = {make_folder(stage / "train")}
    for entries in splits.values():
        for entry in entries:
            path = stage / entry.file_name
            if path.parent not in folders:
                folders.add(make_folder(path.parent))
            yield _encoded(entry, path) if entry.copied is None else _copied(entry.copied, path)


def _encoded(entry: Entry, path: Path) -> dict[str, Any]:
    line, data = entry.make()
    write_bytes(path, data)
    return line | {"sha256": hashlib.sha256(data).hexdigest()}


def _copied(file: UserFile, path: Path) -> dict[str, Any]:
    if file.path.is_file() and _is_at_home(file):  # copying a pipe would not end
        copy_file(file.path, path)
        if (written := file_sha256(path)) == file.line["source_sha256"]:
            return file.line | {"sha256": written}
    raise changed_meanwhile(file.path)


def _is_at_home(file: UserFile) -> bool:
    """Whether a file lies in its folder, also where it has become a link since it was read."""
    return file.home is None or real_path(file.path).is_relative_to(real_path(file.home))
