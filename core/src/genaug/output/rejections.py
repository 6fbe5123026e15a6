"""The record of rejected candidates and its pictures. The only place that writes and reads that file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from genaug.mixing.candidate import Candidate
from genaug.output.files import REJECTIONS, SHEETS
from genaug.output.rejection_sheets import rejection_sheets
from genaug.storage import read_json_lines, write_bytes, write_json_lines


def write_rejections(folder: Path, rejected: Sequence[Candidate], classes: Sequence[str], *, pictures: bool) -> None:
    """Write the file into a folder, and pictures of some of the candidates where `pictures` is set."""
    sheets, places = rejection_sheets(rejected if pictures else (), len(classes), SHEETS)
    for path, data in sheets.items():
        write_bytes(folder / path, data)
    lines = (
        _line(one, classes) | ({"picture": places[row]} if row in places else {}) for row, one in enumerate(rejected)
    )
    write_json_lines(folder / REJECTIONS, lines)


def read_rejections(folder: Path) -> list[Any]:
    """The JSON values of the file's lines, whatever they are. Raises ValueError."""
    return read_json_lines(folder / REJECTIONS)


def _line(one: Candidate, classes: Sequence[str]) -> dict[str, Any]:
    """The line of a candidate that is not used; `genaug sample --first` draws it again."""
    return {
        "generator": one.generator,
        "class": classes[one.label],
        "index": one.index,
        "selector": one.rejected_by,
        "reason": one.reason,
        "scores": one.scores,
    }
