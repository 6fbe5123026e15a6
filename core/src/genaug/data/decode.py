"""Decodes one file, by content whatever its suffix, to 8-bit grey or colour pixels."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from PIL import BmpImagePlugin, GifImagePlugin, JpegImagePlugin, PngImagePlugin, PpmImagePlugin  # noqa: F401 - importing registers the format
from PIL import TiffImagePlugin, WebPImagePlugin  # noqa: F401 - as above

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
_GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N"})
_DEEP_MODES = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N"})
_DEEPEST = 65535
_MOST_PIXELS = Image.MAX_IMAGE_PIXELS or 89_478_485


class UnreadableError(Exception):
    """A file that is no usable image; the message says why."""


@dataclass(frozen=True)
class ImageFacts:
    """What a file's header says. width, height: pixels, after the EXIF rotation."""

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


@dataclass(frozen=True)
class Decoded:
    """Pixels uint8 [H, W, C] at their own size, C 1 or 3, and the facts of the file."""

    pixels: NDArray[np.uint8]
    facts: ImageFacts


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Pillow's remarks on odd files (palette transparency, broken EXIF, size) from people; faults still raise.

    Python's warning filters belong to the whole process: enter this once, around the threads that decode.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def read_facts(path: Path) -> ImageFacts:
    """The facts of a file from its header alone; raises UnreadableError."""
    with _opened(path) as image:
        return _facts(image)


def decode(path: Path) -> Decoded:
    """Read one image whole; raises UnreadableError.

    Alpha is dropped, not composed: torchvision's loader does so too, and synthetic images must be like what the
    user's classifier sees.
    """
    with _opened(path) as image:
        facts = _facts(image)
        try:
            image.load()
            upright = ImageOps.exif_transpose(image) if facts.rotated else image
            return Decoded(_pixels(upright), facts)
        except (OSError, SyntaxError, ValueError, EOFError, IndexError) as error:
            raise UnreadableError(f"truncated or damaged: {error}") from error


def _opened(path: Path) -> Image.Image:
    try:
        if path.stat().st_size == 0:
            raise UnreadableError("an empty file")
        image = Image.open(path, formats=FORMATS)
    except UnidentifiedImageError as error:
        raise UnreadableError("not an image of a known format (JPEG, PNG, BMP, GIF, TIFF, WebP, PPM, PGM)") from error
    except Image.DecompressionBombError as error:
        raise UnreadableError(_bomb_words()) from error
    except (OSError, SyntaxError, ValueError) as error:
        raise UnreadableError(getattr(error, "strerror", None) or f"damaged: {error}") from error
    if image.width * image.height > _MOST_PIXELS:
        image.close()
        raise UnreadableError(_bomb_words())
    return image


def _bomb_words() -> str:
    return f"more than {_MOST_PIXELS:,} pixels: a decompression bomb, or far too large"


def _facts(image: Image.Image) -> ImageFacts:
    try:
        turn = image.getexif().get(ExifTags.Base.Orientation, 1)
    except (OSError, SyntaxError, ValueError, KeyError, TypeError):
        turn = 1  # EXIF that cannot be read says nothing about the rotation; the pixels are still good
    width, height = (image.height, image.width) if turn in (5, 6, 7, 8) else image.size
    return ImageFacts(
        width=width,
        height=height,
        mode=image.mode,
        format=image.format or "",
        frames=getattr(image, "n_frames", 1),
        rotated=turn in range(2, 9),
        alpha=image.mode in ("LA", "La", "RGBA", "RGBa", "PA") or "transparency" in image.info,
    )


def _pixels(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode in _DEEP_MODES:
        return _deep(np.asarray(image))[:, :, None]
    if image.mode == "F":
        raise UnreadableError("32-bit floating-point pixels; save it with 8 or 16 bits")
    if image.mode in _GREY_MODES:
        return np.array(image.convert("L"))[:, :, None]
    return np.array(image.convert("RGB"))


def _deep(values: NDArray[np.integer]) -> NDArray[np.uint8]:
    """16-bit grey to 8 bits over the whole range [0, 65535]."""
    if values.min() < 0 or values.max() > _DEEPEST:
        raise UnreadableError("32-bit pixels beyond the 16-bit range; save it with 8 or 16 bits")
    return np.round(values.astype(np.float64) / 257.0).astype(np.uint8)
