"""The images that a person pages through: which of them the page holds, and what it says of each."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from markupsafe import Markup

from genaug.mixing.output import PROVENANCE
from genaug.report.reading import Made, Output
from genaug.report.records import Line, Nearest, Rejected
from genaug.report.thumbnails import Pictures

_MOST_OF_A_CLASS = 200
_MOST = 2000
_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
Item = TypeVar("Item", Line, Rejected)


@dataclass(frozen=True)
class Choices:
    """What images can be filtered by."""

    classes: tuple[str, ...]
    generators: tuple[str, ...]
    scores: tuple[str, ...]
    selectors: tuple[str, ...]


@dataclass(frozen=True)
class Gallery:
    """Data for the script of the page, and what the page itself says of it.

    shown, rejected: how many of each the page holds. pictured: rejected candidates with a picture. per_class: the most
    images that were taken of one class. missing: files that could not be shown.
    """

    data: Markup
    choices: Choices
    shown: int
    rejected: int
    pictured: int
    per_class: int
    missing: int


def make_gallery(output: Output) -> Gallery | None:
    """The gallery of a run; None where there is none, or nothing in it."""
    made = output.made
    if made is None or not (made.synthetic or made.rejected):
        return None
    per_class = most_of_a_class(len(made.run.classes))
    images = chosen(made.synthetic, per_class, lambda line: line.score)
    rejected = chosen(made.rejected, per_class, lambda one: one.picture is None)
    choices, pictures = _choices(made, images, rejected), Pictures(output.path)
    data = {
        "key": made.run.written.get(PROVENANCE, ""),
        "before": made.run.by_hand,
        "images": [_image(line, pictures, near=not made.run.only_synthetic) for line in images],
        "rejected": [_candidate(one, pictures) for one in rejected],
    }
    return Gallery(
        data=script_json(asdict(choices) | data | {"pictures": pictures.uris}),
        choices=choices,
        shown=len(images),
        rejected=len(rejected),
        pictured=sum(one.picture is not None for one in rejected),
        per_class=per_class,
        missing=len(pictures.missing),
    )


def _choices(made: Made, images: Sequence[Line], rejected: Sequence[Rejected]) -> Choices:
    both: list[Line | Rejected] = [*images, *rejected]
    return Choices(
        classes=made.run.classes,
        generators=tuple(sorted({one.generator for one in both})),
        scores=tuple(sorted({name for one in both for name in one.scores})),
        selectors=tuple(sorted({one.selector for one in rejected})),
    )


def most_of_a_class(classes: int) -> int:
    """How many images of each class the page holds, so that it stays a page: 200, and 2000 together."""
    return max(2, min(_MOST_OF_A_CLASS, _MOST // max(1, classes)))


def chosen(items: Sequence[Item], most: int, order: Callable[[Item], float]) -> list[Item]:
    """The first of each class by that order, left in the order in which they came."""
    counts: dict[str, int] = {}
    rows = []
    for row in sorted(range(len(items)), key=lambda row: order(items[row])):
        label = items[row].label
        if counts.get(label, 0) < most:
            counts[label] = counts.get(label, 0) + 1
            rows.append(row)
    return [items[row] for row in sorted(rows)]


def script_json(values: Any) -> Markup:
    """JSON that can stand inside a script element, whatever is in it."""
    return Markup(json.dumps(values, separators=(",", ":")).translate(_ESCAPES))


def _image(line: Line, pictures: Pictures, *, near: bool) -> dict[str, Any]:
    return {
        "file": line.file_name,
        "class": line.label,
        "generator": line.generator,
        "scores": _rounded(line),
        "weight": line.weight,
        "picture": None if line.shard else pictures.of_file(line.file_name),
        "nearest": line.nearest and _nearest(line.nearest, pictures, shown=near and not line.shard),
    }


def _nearest(nearest: Nearest, pictures: Pictures, *, shown: bool) -> dict[str, Any]:
    picture = pictures.of_file(nearest.file_name) if shown else None
    return {"file": nearest.file_name, "distance": round(nearest.distance, 4), "picture": picture}


def _candidate(one: Rejected, pictures: Pictures) -> dict[str, Any]:
    return {
        "file": f"{one.generator} {one.index}",
        "class": one.label,
        "generator": one.generator,
        "selector": one.selector,
        "reason": one.reason,
        "scores": _rounded(one),
        "picture": one.picture and pictures.of_part(one.picture),
    }


def _rounded(one: Line | Rejected) -> dict[str, float]:
    return {name: round(value, 4) for name, value in one.scores.items()}
