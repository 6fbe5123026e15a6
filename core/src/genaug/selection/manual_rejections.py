"""Images that a person has rejected, as listed in the file that the report page saves."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genaug.errors import UsageError
from genaug.storage import read_json

SELECTOR, REASON = "by hand", "marked as rejected"  # as the record of rejected candidates names them
_SYNTHETIC = re.compile(r"train/([^/]+)/([^/]+)-(\d{6,18})\.png")
_EXAMPLE = '{"rejected": ["train/<class>/<generator>-000003.png"]}'

# {(generator, class name): numbers of candidates}
ManualRejections = Mapping[tuple[str, str], frozenset[int]]


def read_manual_rejections(path: Path) -> ManualRejections:
    """The candidates in a list such as `{"rejected": ["train/stop/NAME-000003.png"]}`; raises UsageError."""
    content = _read(path)
    names = content.get("rejected") if isinstance(content, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UsageError(f"the list {path} cannot be read; expected a file of the report page such as {_EXAMPLE}")
    rejections: dict[tuple[str, str], set[int]] = {}
    for name in names:
        key, index = _candidate(name, path)
        rejections.setdefault(key, set()).add(index)
    return {key: frozenset(indices) for key, indices in rejections.items()}


def _read(path: Path) -> Any:
    try:
        return read_json(path)
    except (OSError, RecursionError):
        return None


def _candidate(name: str, path: Path) -> tuple[tuple[str, str], int]:
    found = _SYNTHETIC.fullmatch(name)
    if found is None:
        raise UsageError(f"the list {path} names {name!r}, which is no synthetic image; expected {_EXAMPLE}")
    class_name, generator, index = found.groups()
    return (generator, class_name), int(index)
