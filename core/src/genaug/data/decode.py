"""Decodes one file, by content whatever its suffix, to 8-bit grey or colour pixels."""

import hashlib
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import (  # noqa: F401 # importing registers a format; else the first TIFF makes Pillow import all its forty
    BmpImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM")  # Pillow's names; JPEG covers MPO, PPM covers PGM
_DEEP_MODES = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N"})
_GREY_MODES = _DEEP_MODES | {"1", "L", "LA"}
_ALPHA_MODES = frozenset({"LA", "La", "RGBA", "RGBa", "PA"})
_DEEPEST = 65535
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# what Pillow and its codecs raise on files damaged at random; a fault of ours does not hide here, since nothing but
# Pillow runs where these are caught
_FAULTS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
)


class UnreadableError(Exception):
    """A file that is no usable image; the message says why."""


@dataclass(frozen=True)
class ImageFacts:
    """What a file is. width, height: pixels, upright. format: Pillow's name.

    frames: or pages, of which the first is used. rotated: EXIF turns it, and torchvision's loader would not.
    """

    width: int
    height: int
    mode: str
    format: str
    frames: int
    rotated: bool
    alpha: bool

    @property
    def grey(self) -> bool:
        """Whether one channel says it all."""
        return self.mode in _GREY_MODES

    @property
    def deep(self) -> bool:
        """Whether it has more than 8 bits for each pixel of its one channel."""
        return self.mode in _DEEP_MODES


@dataclass(frozen=True)
class Decoded:
    """Pixels uint8 [H, W, C] at their own size, C 1 or 3; the facts of the file; sha256 of its bytes."""

    pixels: NDArray[np.uint8]
    facts: ImageFacts
    sha256: str


class _Quiet:
    """Keeps Pillow's remarks on odd files (palette transparency, broken EXIF, size) from people; faults still raise.

    Python's warning filters belong to the whole process and restoring them is not safe between threads, so they are
    changed by the first of all who enter at one time and restored by the last.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._filters = ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._filters.enter_context(warnings.catch_warnings())
                warnings.filterwarnings("ignore", module=r"PIL\.")
            self._inside += 1

    def __exit__(self, *fault: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._filters.close()


quiet = _Quiet()


def read_facts(path: Path) -> ImageFacts:
    """The facts of a file from its header alone; raises UnreadableError."""
    with quiet, _file(path) as file, _opened(file) as image:
        return _facts(image)


def decode(path: Path) -> Decoded:
    """Read one image whole; raises UnreadableError.

    Alpha is dropped, not composed: torchvision's loader does so too, and synthetic images must be like what the
    user's classifier sees.
    """
    with _file(path) as file:
        return decode_bytes(file.read())


def decode_bytes(data: bytes) -> Decoded:
    """As decode, of a file that is in memory already."""
    with quiet, _opened(BytesIO(data)) as image:
        pixels = upright(image)
        facts = _facts(image)  # after loading, for a PNG may have its EXIF behind its pixels
    facts = replace(facts, height=pixels.shape[0], width=pixels.shape[1])
    return Decoded(pixels, facts, hashlib.sha256(data).hexdigest())


def upright(image: Image.Image) -> NDArray[np.uint8]:
    """The pixels of an open image, turned as its EXIF says, uint8 [H, W, C] with C 1 or 3; raises UnreadableError."""
    _refuse_float(image)
    try:
        image.load()
    except _FAULTS as error:
        raise UnreadableError(f"truncated or damaged: {error}") from error
    turn = _TURNS.get(_orientation(image))
    return _pixels(image if turn is None else image.transpose(turn))


@contextmanager
def _file(path: Path) -> Iterator[IO[bytes]]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise UnreadableError((error.strerror or str(error)).lower()) from error


@contextmanager
def _opened(file: IO[bytes]) -> Iterator[Image.Image]:
    """An image whose header is read, and which is neither a bomb nor of pixels that cannot become 8 bits."""
    try:
        image = Image.open(file, formats=FORMATS)
    except UnidentifiedImageError as error:
        empty = not file.seek(0, 2)
        known = "not an image that can be read here (JPEG, PNG, BMP, GIF, TIFF, WebP, PPM, PGM)"
        raise UnreadableError("an empty file" if empty else known) from error
    except Image.DecompressionBombError as error:
        raise UnreadableError(_too_large()) from error
    except _FAULTS as error:
        raise UnreadableError(f"damaged: {error}") from error
    with image:
        # Pillow itself only warns up to twice its limit
        if Image.MAX_IMAGE_PIXELS is not None and image.width * image.height > Image.MAX_IMAGE_PIXELS:
            raise UnreadableError(_too_large())
        _refuse_float(image)
        yield image


def _refuse_float(image: Image.Image) -> None:
    if image.mode == "F":
        raise UnreadableError("32-bit floating-point pixels; save it with 8 or 16 bits")


def _too_large() -> str:
    return f"more than {Image.MAX_IMAGE_PIXELS:,} pixels: a decompression bomb, or far too large"


def _facts(image: Image.Image) -> ImageFacts:
    turn = _orientation(image)
    width, height = (image.height, image.width) if turn in (5, 6, 7, 8) else image.size
    return ImageFacts(
        width=width,
        height=height,
        mode=image.mode,
        format=image.format or "",
        frames=_frames(image),
        rotated=turn in _TURNS,
        alpha=image.mode in _ALPHA_MODES or "transparency" in image.info,
    )


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation 1 to 8 that is still to be applied; a TIFF is turned by Pillow itself, for every reader."""
    if image.format == "TIFF":
        return 1
    try:
        # not image.getexif(): for a PNG that decodes all pixels
        return int(Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1))
    except _FAULTS:
        return 1  # EXIF that cannot be read says nothing about the rotation, and the pixels are still good


def _frames(image: Image.Image) -> int:
    try:
        return int(getattr(image, "n_frames", 1))
    except _FAULTS:
        return 1  # damage behind the first frame, which is the one that is used


def _pixels(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode in _DEEP_MODES:
        return _deep(np.asarray(image))[:, :, None]
    try:
        values = np.array(image.convert("L" if image.mode in _GREY_MODES else "RGB"))
    except _FAULTS as error:
        raise UnreadableError(f"its colours ({image.mode}) cannot become RGB: {error}") from error
    return values if values.ndim == 3 else values[:, :, None]


def _deep(values: NDArray[np.integer]) -> NDArray[np.uint8]:
    """16-bit grey to 8 bits over the whole range [0, 65535]."""
    if values.min() < 0 or values.max() > _DEEPEST:
        raise UnreadableError("32-bit pixels beyond the 16-bit range; save it with 8 or 16 bits")
    return np.round(values.astype(np.float64) / 257.0).astype(np.uint8)
