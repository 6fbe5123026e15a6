"""Chooses the size at which models work, and resizes images to it."""

from collections.abc import Sequence
from statistics import median
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from genaug.spec import SIDE_STEP, SMALLEST_SIDE

Policy = Literal["fit", "crop", "stretch"]
POLICIES: tuple[Policy, ...] = get_args(Policy)
DEFAULT_LARGEST_SIDE = 64  # models cannot learn more detail from tens of images; the paper works at 64
_LONGEST = 256
_SQUARE = 1.25
_SAME_ASPECT = 1.25
_MOST = 0.9


def choose_size(sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The model's (height, width) for images of these (width, height).

    The shorter of the two is the median short side, rounded to a multiple of 8 in [16, 64]. The result is square unless
    the median aspect ratio is 5:4 or more; then the longer of the two follows that ratio, up to 256.
    """
    short = _multiple(median(min(size) for size in sizes), DEFAULT_LARGEST_SIDE)
    aspect = median(width / height for width, height in sizes)
    long = _multiple(short * max(aspect, 1 / aspect), _LONGEST)
    if aspect >= _SQUARE:
        return short, long
    return (long, short) if aspect <= 1 / _SQUARE else (short, short)


def choose_policy(sizes: Sequence[tuple[int, int]], height: int, width: int) -> Policy:
    """Stretch if nine in ten images nearly have the model's aspect ratio, so that nothing is lost; otherwise crop."""
    wanted = width / height
    near = [1 / _SAME_ASPECT <= (w / h) / wanted <= _SAME_ASPECT for w, h in sizes]
    return "stretch" if sum(near) >= _MOST * len(near) else "crop"


def resize(pixels: NDArray[np.uint8], height: int, width: int, channels: int, policy: str) -> NDArray[np.uint8]:
    """Pixels uint8 [H, W, C] to uint8 [height, width, channels], antialiased (Lanczos).

    fit pads with the mean colour of the image's border, crop keeps the largest centre with the right aspect ratio,
    stretch changes the aspect ratio.
    """
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    if policy == "crop":
        image = ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)
    elif policy == "fit":
        image = _padded(image, height, width, _border(pixels))
    else:
        image = image.resize((width, height), Image.Resampling.LANCZOS)
    values = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return values.reshape(height, width, channels)


def sentence(sizes: Sequence[tuple[int, int]], height: int, width: int, policy: str) -> str:
    """A note for users: the model size, and how images of these (width, height) are resized to it."""
    middle = f"{median(h for _, h in sizes):g}x{median(w for w, _ in sizes):g}"
    words = {"fit": "padded to fit", "crop": "cropped to their centre", "stretch": "stretched to fit"}[policy]
    shrunk = median(min(size) for size in sizes) > max(height, width)
    larger = " (--size sets another size)" if shrunk else ""
    return f"models work at {height}x{width} pixels{larger}; the images (median size {middle}) are {words}"


def _padded(image: Image.Image, height: int, width: int, colour: int | tuple[int, ...]) -> Image.Image:
    """Like ImageOps.pad, which fails on images one pixel wide or high: here at least one pixel is left."""
    scale = min(width / image.width, height / image.height)
    inner = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    canvas = Image.new(image.mode, (width, height), colour)
    place = ((width - inner[0]) // 2, (height - inner[1]) // 2)
    canvas.paste(image.resize(inner, Image.Resampling.LANCZOS), place)
    return canvas


def _border(pixels: NDArray[np.uint8]) -> int | tuple[int, ...]:
    edges = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    colour = tuple(int(value) for value in edges.mean(axis=0).round())
    return colour[0] if len(colour) == 1 else colour


def _multiple(side: float, largest: int) -> int:
    return int(min(largest, max(SMALLEST_SIDE, SIDE_STEP * round(side / SIDE_STEP))))
