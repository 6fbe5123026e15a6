"""Decodes one image file to 8-bit grey or colour pixels; the content decides, not the file name."""

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

MARK = "genaug"  # the text chunk in which a synthetic PNG of genaug keeps the record of its draw
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
# What Pillow and its codecs raise for randomly damaged files. Where these are caught only Pillow runs, so no error of
# genaug itself is hidden.
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
    """The file is not a usable image; the message says why."""


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """Facts about an image file.

    width, height: pixels after the EXIF rotation. mode, format: Pillow's names. frames: number of frames or pages, of
    which the first is used. rotated: EXIF data rotates or mirrors it; torchvision's loader ignores that. alpha: it has
    transparency. marked: it carries genaug's mark of a synthetic image.
    """

    width: int
    height: int
    mode: str
    format: str
    frames: int
    rotated: bool
    alpha: bool
    marked: bool

    @property
    def grey(self) -> bool:
        """Whether the image is grey, so that one channel is enough."""
        return self.mode in _GREY_MODES

    @property
    def deep(self) -> bool:
        """Whether the image is grey with more than 8 bits per pixel."""
        return self.mode in _DEEP_MODES


@dataclass(frozen=True)
class Decoded:
    """Pixels uint8 [H, W, C] at the size of the file, C 1 or 3; facts about the file; SHA-256 of its bytes."""

    pixels: NDArray[np.uint8]
    facts: ImageFacts
    sha256: str


class _Quiet:
    """Hides Pillow's warnings about odd files (palette transparency, broken EXIF, size); errors are still raised.

    Python's warning filters belong to the whole process, and threads must not restore them while others still need
    them. So the first thread that enters changes them and the last one that leaves restores them.
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
    """The facts about a file, read from its header only; raises UnreadableError."""
    with quiet, _file(path) as file, _opened(file) as image:
        return _facts(image)


def decode(path: Path) -> Decoded:
    """Read and decode one image file; raises UnreadableError.

    Alpha is dropped, not blended with a background, as in torchvision's loader, so that synthetic images look like the
    images that the user's classifier sees.
    """
    with _file(path) as file:
        return decode_bytes(file.read())


def decode_bytes(data: bytes) -> Decoded:
    """Decode the bytes of an image file; raises UnreadableError."""
    with quiet, _opened(BytesIO(data)) as image:
        pixels = upright(image)
        facts = _facts(image)  # after loading, because a PNG may store its EXIF data after the pixels
    facts = replace(facts, height=pixels.shape[0], width=pixels.shape[1])
    return Decoded(pixels, facts, hashlib.sha256(data).hexdigest())


def upright(image: Image.Image) -> NDArray[np.uint8]:
    """The pixels of an open image, rotated by its EXIF data, uint8 [H, W, C] with C 1 or 3; raises UnreadableError."""
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
    """An open image, header read; raises UnreadableError for a decompression bomb or floating-point pixels."""
    try:
        image = Image.open(file, formats=FORMATS)
    except UnidentifiedImageError as error:
        empty = not file.seek(0, 2)
        known = "not an image in a supported format (JPEG, PNG, BMP, GIF, TIFF, WebP, PPM, PGM)"
        raise UnreadableError("an empty file" if empty else known) from error
    except Image.DecompressionBombError as error:
        raise UnreadableError(_too_large()) from error
    except _FAULTS as error:
        raise UnreadableError(f"damaged: {error}") from error
    with image:
        # Pillow only warns between its limit and twice its limit
        if Image.MAX_IMAGE_PIXELS is not None and image.width * image.height > Image.MAX_IMAGE_PIXELS:
            raise UnreadableError(_too_large())
        _refuse_float(image)
        yield image


def _refuse_float(image: Image.Image) -> None:
    if image.mode == "F":
        raise UnreadableError("32-bit floating-point pixels; save the image with 8 or 16 bits")


def _too_large() -> str:
    return f"more than {Image.MAX_IMAGE_PIXELS:,} pixels: a decompression bomb, or much too large"


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
        marked=MARK in image.info,
    )


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8, that is still to be applied; Pillow applies that of a TIFF itself."""
    if image.format == "TIFF":
        return 1
    try:
        # not image.getexif(), which decodes all pixels of a PNG
        return int(Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1))
    except _FAULTS:
        return 1  # the EXIF data cannot be read, but the pixels can still be used


def _frames(image: Image.Image) -> int:
    try:
        return int(getattr(image, "n_frames", 1))
    except _FAULTS:
        return 1  # damaged after the first frame, which is the only one used


def _pixels(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode in _DEEP_MODES:
        return _deep(np.asarray(image))[:, :, None]
    try:
        values = np.array(image.convert("L" if image.mode in _GREY_MODES else "RGB"))
    except _FAULTS as error:
        raise UnreadableError(f"its colours ({image.mode}) cannot become RGB: {error}") from error
    return values if values.ndim == 3 else values[:, :, None]


def _deep(values: NDArray[np.integer]) -> NDArray[np.uint8]:
    """16-bit grey values in [0, 65535] to 8 bits."""
    if values.min() < 0 or values.max() > _DEEPEST:
        raise UnreadableError("32-bit pixels beyond the 16-bit range; save the image with 8 or 16 bits")
    return np.round(values.astype(np.float64) / 257.0).astype(np.uint8)
