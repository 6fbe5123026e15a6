"""Small pictures of rejected candidates: one sheet for each class, and where each candidate and its original are."""

import io
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from genaug.data.split import TrainSplit
from genaug.mixing.candidate import Candidate

_SIDE = 96
_COLUMNS = 16  # an even number, so that a copy and its original stand in one row
_MOST = 32  # of each selector in each class: enough to see what it rejects

Places = dict[int, dict[str, dict[str, Any]]]


def rejection_sheets(rejected: Sequence[Candidate], train: TrainSplit, folder: str) -> tuple[dict[str, bytes], Places]:
    """PNG bytes of each sheet by its path in OUT, and where the candidates shown are, by their rows in `rejected`.

    A place is {"candidate": {file, box}}, for a copy of a training image also {"copied": {file, box}}: the training
    image stands to the right of its copy. box: left, top, right, bottom in pixels. The first 32 candidates that each
    selector rejected in each class are shown, copies before others.
    """
    sheets: dict[str, bytes] = {}
    places: Places = {}
    for label, shown in sorted(_shown(rejected).items()):
        cells = _cells(rejected, shown)
        path = f"{folder}/rejected-{label:03d}.png"
        pixels = [_pixels(rejected[row], kind, train) for row, kind in cells]
        sheets[path], boxes = _sheet([_small(image) for image in pixels])
        for (row, kind), box in zip(cells, boxes, strict=True):
            places.setdefault(row, {})[kind] = {"file": path, "box": box}
    return sheets, places


def _cells(rejected: Sequence[Candidate], shown: Sequence[int]) -> list[tuple[int, str]]:
    """What a sheet shows, in order: rows of candidates, with `candidate` or `copied`."""
    copies = [row for row in shown if rejected[row].copied is not None]
    pairs = [(row, kind) for row in copies for kind in ("candidate", "copied")]
    return pairs + [(row, "candidate") for row in shown if rejected[row].copied is None]


def _pixels(one: Candidate, kind: str, train: TrainSplit) -> NDArray[np.uint8]:
    """Pixels uint8 [H, W, C] of the candidate, or of the training image that it copies."""
    return train.images[one.copied] if kind == "copied" else one.pixels


def _shown(rejected: Sequence[Candidate]) -> dict[int, list[int]]:
    """{label: rows of the candidates that its sheet shows}."""
    counts: Counter[tuple[int, str]] = Counter()
    rows: dict[int, list[int]] = {}
    for row, one in enumerate(rejected):
        counts[one.label, one.rejected_by] += 1
        if counts[one.label, one.rejected_by] <= _MOST:
            rows.setdefault(one.label, []).append(row)
    return rows


def _small(pixels: NDArray[np.uint8]) -> Image.Image:
    """Pixels uint8 [H, W, C] as a picture of at most 96 pixels high and wide, and never larger than they are."""
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).convert("RGB")
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
