"""The provenance: one line for every image of an output. The only place that writes and reads that file."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from genaug.errors import DataError
from genaug.output.files import PROVENANCE, is_inside
from genaug.storage import file_lines, read_json_lines, write_sorted_json_lines

ProvenanceLine = Mapping[str, Any]
# the part of a synthetic image's line from which it can be drawn again, with the types of the values
DRAW = {"genaug": str, "generator": str, "plugin": str, "model": str, "seed": int, "class": str, "index": int}
SIZE = "size"  # height and width of a synthetic image, in its line and in its mark
_MOST_PIXELS = 89_478_485  # of an image that Pillow opens
_LINE = {"file_name": str, "sha256": str, "pixels": str, "split": str, "label": str, "synthetic": bool}


def write_provenance(folder: Path, lines: Iterable[ProvenanceLine]) -> None:
    """Write the file into a folder, sorted by file name."""
    write_sorted_json_lines(folder / PROVENANCE, lines, "file_name")


def has_provenance(folder: Path) -> bool:
    """Whether a folder holds the file."""
    return (folder / PROVENANCE).is_file()


def read_provenance(folder: Path) -> list[ProvenanceLine]:
    """The line of every image, in order; raises DataError where the file is missing or holds anything else."""
    return list(provenance_lines(folder))


def provenance_lines(folder: Path) -> Iterator[ProvenanceLine]:
    """The same, one line after another, so that they take no memory."""
    path = folder / PROVENANCE
    if not path.is_file():
        raise DataError(f"{path} is not there; without it nothing is known about the images beside it")
    for number, text in enumerate(file_lines(path), start=1):
        line = _parsed(text)
        if not holds(line, _LINE) or (line["synthetic"] and not holds(line, DRAW)) or not _names_are_sound(line):
            raise DataError(f"line {number} of {path} is not what genaug wrote; expected the JSON record of an image")
        yield line


def read_unchecked(folder: Path) -> Iterator[Any]:
    """The JSON values of the file's lines, whatever they are; none where there is no file. Raises ValueError."""
    return read_json_lines(folder / PROVENANCE)


def synthetic_names(folder: Path) -> list[str]:
    """The files that the lines of the file call synthetic, skipping lines that genaug did not write; may be none."""
    if not has_provenance(folder):
        return []
    lines = map(_parsed, file_lines(folder / PROVENANCE))
    return [line["file_name"] for line in lines if holds(line, _LINE) and line["synthetic"]]


def drawn_beside_real(line: ProvenanceLine) -> bool:
    """Whether a line is of a synthetic image that does not top up the real side: what recipes and metrics act on."""
    return bool(line["synthetic"]) and not line.get("tops_up", False)


def holds(values: Any, kinds: Mapping[str, type]) -> bool:
    """Whether plain values are a table that has these keys with values of these types."""
    return isinstance(values, Mapping) and all(isinstance(values.get(key), kind) for key, kind in kinds.items())


def is_size(value: Any) -> bool:
    """Whether a plain value is the height and width of an image that can be written."""
    if not (isinstance(value, list) and len(value) == 2 and all(type(side) is int and side > 0 for side in value)):
        return False
    return bool(value[0] * value[1] <= _MOST_PIXELS)


def draw_record(
    *, genaug: str, generator: str, plugin: str, model: str, seed: int, class_name: str, index: int
) -> dict[str, Any]:
    """What decides one synthetic image: enough to draw it again from the model. Its keys are those of DRAW."""
    values = (genaug, generator, plugin, model, seed, class_name, index)
    return dict(zip(DRAW, values, strict=True))


def holder(line: ProvenanceLine) -> str:
    """The file of OUT that holds the image of a line: the image's own file, or a shard."""
    return str(line.get("shard", line["file_name"]))


def _names_are_sound(line: ProvenanceLine) -> bool:
    """Whether the names of other files in a line, where it has any, are texts, and its own files lie in OUT."""
    parents = line.get("parents", [])
    texts = [line.get("source", ""), *parents] if isinstance(parents, list) else [None]
    return all(isinstance(text, str) for text in texts) and is_inside(line["file_name"]) and is_inside(holder(line))


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
