"""Images that a person has marked as rejected, in the list that the report page gives."""

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from genaug.errors import UsageError
from genaug.storage import read_json

BY_HAND, REASON = "by hand", "marked as rejected"
_SYNTHETIC = re.compile(r"(?P<generator>.+)-(?P<index>\d{6,18})\.png")
_EXAMPLE = '{"rejected": ["train/<class>/<generator>-000003.png"]}'

# {(generator, class): numbers of candidates}
Marked = Mapping[tuple[str, str], frozenset[int]]


def read_marked(path: Path) -> Marked:
    """The candidates in a list such as `{"rejected": ["train/stop/NAME-000003.png"]}`; raises UsageError."""
    found = _read(path)
    names = found.get("rejected") if isinstance(found, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UsageError(f"the list {path} cannot be read; expected a file of the report page such as {_EXAMPLE}")
    marked: dict[tuple[str, str], frozenset[int]] = {}
    for name in names:
        key, index = _candidate(name, path)
        marked[key] = marked.get(key, frozenset()) | {index}
    return marked


def _read(path: Path) -> Any:
    try:
        return read_json(path)
    except (OSError, RecursionError):
        return None


def _candidate(name: str, path: Path) -> tuple[tuple[str, str], int]:
    place = PurePosixPath(name)
    found = _SYNTHETIC.fullmatch(place.name)
    if found is None or len(place.parts) != 3 or place.parts[0] != "train":
        raise UsageError(f"the list {path} names {name!r}, which is no synthetic image; expected {_EXAMPLE}")
    return (found["generator"], place.parts[1]), int(found["index"])
