"""Pictures inside the page: small, as data URIs, each of them once."""

import base64
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from genaug.data.decode import UnreadableError, decode
from genaug.report.records import Picture

_SIDE = 96
_QUALITY = 88
_LOSSLESS_SIDE = 32  # lossy WebP halves the resolution of colour, which shows in images of so few pixels

Pixels = NDArray[np.uint8]


class Pictures:
    """Thumbnails of files below a folder, in the order in which they were first asked for.

    uris: data URIs. missing: names of files that are not there, lie elsewhere, or cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.uris: list[str] = []
        self.missing: set[str] = set()
        self._folder = folder
        self._known: dict[str, int | None] = {}
        self._sheet: tuple[str, Pixels | None] = ("", None)

    def of_file(self, name: str) -> int | None:
        """The number of an image file's thumbnail; None where there is none."""
        if name not in self._known:
            pixels = self._decoded(name)
            self._known[name] = None if pixels is None else self._added(pixels)
        return self._known[name]

    def of_part(self, picture: Picture) -> int | None:
        """The number of the thumbnail of a part of a sheet; the last sheet is kept at hand."""
        if picture.file != self._sheet[0]:
            self._sheet = (picture.file, self._decoded(picture.file))
        sheet = self._sheet[1]
        left, top, right, bottom = picture.box
        if sheet is None or not (0 <= left < right <= sheet.shape[1] and 0 <= top < bottom <= sheet.shape[0]):
            return None
        return self._added(sheet[top:bottom, left:right])

    def _decoded(self, name: str) -> Pixels | None:
        path = self._folder / name
        try:
            if path.resolve().is_relative_to(self._folder.resolve()):
                return decode(path).pixels
        except (UnreadableError, ValueError, OSError):  # a name that no file can have is a damaged record too
            pass
        self.missing.add(name)
        return None

    def _added(self, pixels: Pixels) -> int:
        image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).convert("RGB")
        image.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", quality=_QUALITY, lossless=max(image.size) <= _LOSSLESS_SIDE)
        self.uris.append(f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}")
        return len(self.uris) - 1
