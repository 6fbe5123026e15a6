"""The records of an output's images, read with care: people edit files, and disks fail."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genaug.errors import DataError
from genaug.storage import file_bytes

Line = Mapping[str, Any]
DRAW = {"genaug": str, "generator": str, "plugin": str, "model": str, "seed": int, "class": str, "index": int}
_LINE = {"file_name": str, "sha256": str, "pixels": str, "split": str, "label": str, "synthetic": bool}


def read_lines(path: Path) -> list[Line]:
    """The line of every image, in order; raises DataError for anything that a run does not write."""
    if not path.is_file():
        raise DataError(f"{path} is not there; without it nothing can be told of the images beside it")
    lines = []
    for number, text in enumerate(file_bytes(path).splitlines(), start=1):
        line = _parsed(text)
        if not holds(line, _LINE) or (line["synthetic"] and not holds(line, DRAW)) or not _names(line):
            raise DataError(f"line {number} of {path} is not what genaug wrote; expected the JSON record of an image")
        lines.append(line)
    return lines


def holds(values: Any, kinds: Mapping[str, type]) -> bool:
    """Whether plain values are a table with these keys and kinds."""
    return isinstance(values, Mapping) and all(isinstance(values.get(key), kind) for key, kind in kinds.items())


def _names(line: Line) -> bool:
    """Whether the names of other files in a line, where it has any, are texts."""
    parents = line.get("parents", [])
    texts = [line.get("source", ""), *parents] if isinstance(parents, list) else [None]
    return all(isinstance(text, str) for text in texts)


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
