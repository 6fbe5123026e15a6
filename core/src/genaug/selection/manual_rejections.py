"""Images that a person has rejected, as listed in the file that the report page saves."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genaug.errors import UsageError
from genaug.storage import read_json

SELECTOR, REASON = "by hand", "marked as rejected"  # as the record of rejected candidates names them
_OF_CLASS = re.compile(r"train/[^/]+/[^/]+")  # what stands before the last dash
_NUMBER = re.compile(r"\d{6,18}\.png")
_EXAMPLE = '{"rejected": ["train/<class>/<generator>-000003.png"]}'

# {(generator, class name): numbers of candidates}
ManualRejections = Mapping[tuple[str, str], frozenset[int]]


def read_manual_rejections(path: Path) -> ManualRejections:
    """The candidates in a list such as `{"rejected": ["train/stop/NAME-000003.png"]}`; raises UsageError."""
    content = _read(path)
    names = content.get("rejected") if isinstance(content, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UsageError(f"the list {path} cannot be read; expected a file of the report page such as {_EXAMPLE}")
    numbers: dict[str, set[int]] = {}
    for name in names:
        beginning, _, number = name.rpartition("-")
        if not _NUMBER.fullmatch(number) or not (beginning in numbers or _OF_CLASS.fullmatch(beginning)):
            raise UsageError(f"the list {path} names {name!r}, which is no synthetic image; expected {_EXAMPLE}")
        numbers.setdefault(beginning, set()).add(int(number.removesuffix(".png")))
    return {_of_class(beginning): frozenset(found) for beginning, found in numbers.items()}


def _read(path: Path) -> Any:
    try:
        return read_json(path)
    except (OSError, RecursionError):
        return None


def _of_class(beginning: str) -> tuple[str, str]:
    _, class_name, generator = beginning.split("/")
    return generator, class_name
