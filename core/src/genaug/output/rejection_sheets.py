"""Small pictures of rejected candidates: one sheet for each class, and the place of each candidate on it."""

import io
import math
from collections.abc import Sequence
from typing import Any

from PIL import Image

from genaug.mixing.candidate import Candidate

_SIDE = 96
_COLUMNS = 16
_MOST = 32  # of each selector in each class: enough to see what it rejects

Places = dict[int, dict[str, Any]]


def rejection_sheets(rejected: Sequence[Candidate], classes: int, folder: str) -> tuple[dict[str, bytes], Places]:
    """PNG bytes of each sheet by its path in OUT, and {row of `rejected`: {file, box}} of the candidates shown.

    classes: number of classes. box: left, top, right, bottom in pixels. The first 32 candidates that each selector
    rejected in each class are shown.
    """
    sheets: dict[str, bytes] = {}
    places: Places = {}
    for label in range(classes):
        rows = _shown(rejected, label)
        if rows:
            path = f"{folder}/rejected-{label:03d}.png"
            sheets[path], boxes = _sheet([_small(rejected[row]) for row in rows])
            places |= {row: {"file": path, "box": box} for row, box in zip(rows, boxes, strict=True)}
    return sheets, places


def _shown(rejected: Sequence[Candidate], label: int) -> list[int]:
    counts: dict[str, int] = {}
    rows = []
    for row, one in enumerate(rejected):
        if one.label == label and counts.get(one.rejected_by, 0) < _MOST:
            counts[one.rejected_by] = counts.get(one.rejected_by, 0) + 1
            rows.append(row)
    return rows


def _small(one: Candidate) -> Image.Image:
    """At most 96 pixels high and wide, and never larger than it was drawn."""
    image = Image.fromarray(one.pixels[:, :, 0] if one.pixels.shape[2] == 1 else one.pixels).convert("RGB")
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    return image


def _sheet(images: Sequence[Image.Image]) -> tuple[bytes, list[list[int]]]:
    """One picture that shows images of one size, and the box of each image."""
    width, height = images[0].size
    sheet = Image.new("RGB", (min(len(images), _COLUMNS) * width, math.ceil(len(images) / _COLUMNS) * height))
    boxes = []
    for place, image in enumerate(images):
        left, top = place % _COLUMNS * width, place // _COLUMNS * height
        sheet.paste(image, (left, top))
        boxes.append([left, top, left + width, top + height])
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue(), boxes
