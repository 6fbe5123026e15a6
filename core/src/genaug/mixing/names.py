"""File names under which real images load in every reader: flat, unique, and with a suffix that readers know."""

import hashlib
from collections.abc import Iterable
from pathlib import PurePosixPath

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


def converted(format_name: str, name: str) -> bool:
    """Whether a file must become PNG: torchvision reads no file called .gif."""
    return format_name == "GIF" and PurePosixPath(name).suffix.lower() not in LOADABLE


def flat_names(files: Iterable[tuple[str, str]], reserved: Iterable[tuple[str, str]] = ()) -> list[str]:
    """Names inside their class folder for (`<class>/sub/a.gif`, format) pairs of one split, in order.

    reserved: (class, name) pairs that are spoken for, by synthetic images.
    Folders inside a class are flattened (`sub__a.png`): nested ones remove all labels in Hugging Face. Names that
    differ in case only are told apart too, since some file systems do not.
    """
    taken = {(label, name.lower()) for label, name in reserved}
    names = []
    for name, format_name in files:
        label, *inner = PurePosixPath(name).parts
        wish = _with_suffix("__".join(inner), format_name, name)
        if (label, wish.lower()) in taken or len(wish.encode("utf-8", "surrogateescape")) > _LONGEST:
            wish = _marked(wish, name)
        taken.add((label, wish.lower()))
        names.append(wish)
    return names


def _with_suffix(wish: str, format_name: str, name: str) -> str:
    suffix = PurePosixPath(wish).suffix
    if suffix.lower() in LOADABLE:
        return wish
    stem = wish.removesuffix(suffix) if suffix.lower() in (".gif", ".jfif", ".jpe") else wish
    return stem + (".png" if converted(format_name, name) else _SUFFIXES[format_name])


def _marked(wish: str, name: str) -> str:
    """A shortened stem with a hash of the whole original name."""
    path = PurePosixPath(wish)
    mark = hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=5).hexdigest()
    stem = path.stem.encode("utf-8", "surrogateescape")[:200].decode("utf-8", "ignore")
    return f"{stem}-{mark}{path.suffix}"
