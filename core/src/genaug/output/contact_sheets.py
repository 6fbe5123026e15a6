"""Contact sheets: one picture per class, with a row of images for each kind."""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

COLUMNS = 16
MOST = 64
_SMALLEST_TILE = 48
_GAP = 4
_LINE = 22

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class SheetRow:
    """Images of one kind on a contact sheet. images: the first of them, uint8 [H, W, C]. count: how many there are."""

    kind: str
    images: Sequence[Pixels]
    count: int


def contact_sheet(title: str, rows: Sequence[SheetRow]) -> bytes:
    """PNG bytes of a picture of up to 64 images of each kind, all of one size, under captions with counts.

    A kind without images gets a caption only.
    """
    shown = [image for row in rows for image in row.images[:MOST]]
    scale = max(1, math.ceil(_SMALLEST_TILE / min(shown[0].shape[:2]))) if shown else 1
    height, width = (side * scale + _GAP for side in shown[0].shape[:2]) if shown else (_SMALLEST_TILE, _SMALLEST_TILE)
    parts = [(f"{row.kind}: {row.count}", row.images[:MOST]) for row in rows]
    tall = 2 * _LINE + sum(_LINE + math.ceil(len(images) / COLUMNS) * height for _, images in parts)
    sheet = Image.new("RGB", (COLUMNS * width + _GAP, tall), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(14)
    draw.text((_GAP, _GAP), _drawable(title), fill="black", font=font)
    top = 2 * _LINE - _GAP
    for caption, images in parts:
        draw.text((_GAP, top), caption, fill="black", font=font)
        top += _LINE
        for place, pixels in enumerate(images):
            row, column = divmod(place, COLUMNS)
            sheet.paste(_tile(pixels, scale), (_GAP + column * width, top + row * height))
        top += math.ceil(len(images) / COLUMNS) * height
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def _tile(pixels: Pixels, scale: int) -> Image.Image:
    tile = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).convert("RGB")
    return tile.resize((tile.width * scale, tile.height * scale), Image.Resampling.NEAREST)


def _drawable(text: str) -> str:
    """A title on one line of at most 100 characters, without broken characters."""
    line = " ".join(text.encode("utf-8", "replace").decode().split())
    return line if len(line) <= 100 else line[:99] + "…"
