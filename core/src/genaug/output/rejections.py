"""The record of rejected candidates and its pictures. The only place that writes and reads that file."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from genaug.data.split import TrainSplit
from genaug.mixing.candidate import Candidate
from genaug.output.files import REJECTIONS, SHEETS
from genaug.output.rejection_sheets import rejection_sheets
from genaug.storage import read_json_lines, write_bytes, write_json_lines


def write_rejections(folder: Path, rejected: Sequence[Candidate], train: TrainSplit, *, pictures: bool) -> None:
    """Write the file into a folder, and pictures of some of the candidates where `pictures` is set.

    A copy of a training image has the name and the class of that image, and is pictured beside it.
    """
    sheets, places = rejection_sheets(rejected if pictures else (), train, SHEETS)
    for path, data in sheets.items():
        write_bytes(folder / path, data)
    lines = (_line(one, train, places.get(row, {})) for row, one in enumerate(rejected))
    write_json_lines(folder / REJECTIONS, lines)


def read_rejections(folder: Path) -> Iterator[Any]:
    """The JSON values of the file's lines, whatever they are. Raises ValueError."""
    return read_json_lines(folder / REJECTIONS)


def _line(one: Candidate, train: TrainSplit, pictures: Mapping[str, Any]) -> dict[str, Any]:
    """The line of a candidate that is not used; `genaug sample --first` draws it again.

    pictures: where sheets show the candidate and the image that it copies.
    """
    picture = {"picture": pictures["candidate"]} if "candidate" in pictures else {}
    copied = {} if one.copied is None else {"copied": _copied(one.copied, train, pictures)}
    return {
        "generator": one.generator,
        "class": train.spec.classes[one.label],
        "index": one.index,
        "selector": one.rejected_by,
        "reason": one.reason,
        "scores": one.scores,
        **copied,
        **picture,
    }


def _copied(row: int, train: TrainSplit, pictures: Mapping[str, Any]) -> dict[str, Any]:
    """The training image that a candidate copies: its name in the training folder, its class, and its picture."""
    picture = {"picture": pictures["copied"]} if "copied" in pictures else {}
    return {"name": train.names[row], "class": train.spec.classes[train.labels[row]], **picture}
