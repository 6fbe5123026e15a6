"""Thumbnails for the page: small WebP images as data URIs, each stored once."""

import base64
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from genaug.data.decode import UnreadableError, decode
from genaug.report.records import SheetPlace
from genaug.storage import real_path

_SIZE = 96
_QUALITY = 88
_LOSSLESS_SIZE = 32  # lossy WebP halves the resolution of colour, which is visible in images of so few pixels

Pixels = NDArray[np.uint8]


class Thumbnails:
    """Thumbnails of files in a folder, numbered in the order of their first use.

    uris: data URIs, by number. missing: names of files that do not exist, lie outside the folder or cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.uris: list[str] = []
        self.missing: set[str] = set()
        self._folder = folder
        self._numbers: dict[str, int | None] = {}
        self._sheet: tuple[str, Pixels | None] = ("", None)

    def of_file(self, name: str) -> int | None:
        """The number of the thumbnail of an image file; None if the file cannot be shown."""
        if name not in self._numbers:
            pixels = self._decode(name)
            self._numbers[name] = None if pixels is None else self._add(pixels)
        return self._numbers[name]

    def of_sheet(self, place: SheetPlace) -> int | None:
        """The number of the thumbnail of a part of a contact sheet; None if it cannot be shown."""
        if place.file != self._sheet[0]:  # only the last sheet is kept in memory
            self._sheet = (place.file, self._decode(place.file))
        sheet = self._sheet[1]
        left, top, right, bottom = place.box
        if sheet is None or not (0 <= left < right <= sheet.shape[1] and 0 <= top < bottom <= sheet.shape[0]):
            return None
        return self._add(sheet[top:bottom, left:right])

    def _decode(self, name: str) -> Pixels | None:
        path = self._folder / name
        try:
            if real_path(path).is_relative_to(real_path(self._folder)):
                return decode(path).pixels
        except (UnreadableError, ValueError, OSError):  # ValueError: a damaged record can hold an impossible file name
            pass
        self.missing.add(name)
        return None

    def _add(self, pixels: Pixels) -> int:
        self.uris.append(data_uri(pixels))
        return len(self.uris) - 1


def data_uri(pixels: Pixels) -> str:
    """A thumbnail of pixels uint8 [H, W, C], as an image in an address."""
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).convert("RGB")
    image.thumbnail((_SIZE, _SIZE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=_QUALITY, lossless=max(image.size) <= _LOSSLESS_SIZE)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"
