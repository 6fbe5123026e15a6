"""File names of the images in an output: flat, unique, and with a suffix that common readers know."""

import hashlib
from collections.abc import Container, Iterable, Mapping
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

LOADABLE = frozenset({".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"})
_SUFFIXES = {
    "JPEG": ".jpg",
    "MPO": ".jpg",
    "PNG": ".png",
    "PPM": ".ppm",
    "BMP": ".bmp",
    "TIFF": ".tif",
    "WEBP": ".webp",
}
_LONGEST = 240  # bytes; file systems take 255, and readers may add to a name


def synthetic_name(generator: str, index: int) -> str:
    """The file name of a synthetic image inside the folder of its class."""
    return f"{generator}-{index:06d}.png"


class SyntheticNames(Container[tuple[str, str]]):
    """The (class, file name in small letters) pairs of synthetic images, without a text for each of them.

    numbers: int64 [N], the indices of the images of each (class, generator).
    """

    def __init__(self, numbers: Mapping[tuple[str, str], NDArray[np.int64]]) -> None:
        self._numbers = {(label, generator.lower()): indices for (label, generator), indices in numbers.items()}

    def __contains__(self, pair: object) -> bool:
        label, name = pair if isinstance(pair, tuple) else ("", "")
        generator, _, number = name.removesuffix(".png").rpartition("-")
        indices = self._numbers.get((label, generator))
        if indices is None or not number.isdecimal() or name != synthetic_name(generator, int(number)):
            return False
        return bool((indices == int(number)).any())


def converted(format_name: str, name: str) -> bool:
    """Whether a file must become PNG: torchvision skips files called .gif."""
    return format_name == "GIF" and PurePosixPath(name).suffix.lower() not in LOADABLE


def flat_names(
    files: Iterable[tuple[str, str]], reserved: Container[tuple[str, str]] = (), *, as_png: bool = False
) -> list[str]:
    """File names inside the class folder for (`<class>/sub/a.gif`, format) pairs of one split, in their order.

    reserved: (class, file name in small letters) pairs of synthetic images. as_png: whether all files become PNG.
    Folders inside a class are flattened (`sub__a.png`): with nested ones Hugging Face loses all labels. Names that
    differ only in case become different names, because some file systems ignore case.
    """
    taken: set[tuple[str, str]] = set()
    names = []
    for name, format_name in files:
        label, *inner = PurePosixPath(name).parts
        flat = _with_suffix("__".join(inner), format_name, name)
        flat = str(PurePosixPath(flat).with_suffix(".png")) if as_png else flat
        wanted = (label, flat.lower())
        if wanted in taken or wanted in reserved or len(flat.encode("utf-8", "surrogateescape")) > _LONGEST:
            flat = _shortened(flat, name)
        taken.add((label, flat.lower()))
        names.append(flat)
    return names


def _with_suffix(flat: str, format_name: str, name: str) -> str:
    suffix = PurePosixPath(flat).suffix
    if suffix.lower() in LOADABLE:
        return flat
    base = flat.removesuffix(suffix) if suffix.lower() in (".gif", ".jfif", ".jpe") else flat
    return base + (".png" if converted(format_name, name) else _SUFFIXES[format_name])


def _shortened(flat: str, name: str) -> str:
    """A shortened name with a hash of the whole original name."""
    path = PurePosixPath(flat)
    mark = hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=5).hexdigest()
    base = path.stem.encode("utf-8", "surrogateescape")[:200].decode("utf-8", "ignore")
    return f"{base}-{mark}{path.suffix}"
