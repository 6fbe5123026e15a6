"""At which size models work, and how images come to it."""

from collections.abc import Sequence
from statistics import median
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from genaug.spec import LARGEST_SIDE, SIDE_STEP, SMALLEST_SIDE

Policy = Literal["fit", "crop", "stretch"]
POLICIES: tuple[Policy, ...] = get_args(Policy)
DEFAULT_LARGEST_SIDE = 64  # tens of images cannot teach more detail; the paper works at 64
_SQUARE = 1.25
_SAME_ASPECT = 1.25
_MOST = 0.9


def choose_size(sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Height and width for images of these (width, height): the median short side, to a multiple of 8 in [16, 64].

    Square, unless the median aspect is 5:4 or longer; then the longer side follows that aspect, up to 256.
    """
    short = _multiple(median(min(size) for size in sizes), DEFAULT_LARGEST_SIDE)
    aspect = median(width / height for width, height in sizes)
    long = _multiple(short * max(aspect, 1 / aspect), LARGEST_SIDE)
    if aspect >= _SQUARE:
        return short, long
    return (long, short) if aspect <= 1 / _SQUARE else (short, short)


def choose_policy(sizes: Sequence[tuple[int, int]], height: int, width: int) -> Policy:
    """Stretch where nine in ten images nearly have the model's aspect, so that nothing is cut; else crop the centre."""
    wanted = width / height
    near = [1 / _SAME_ASPECT <= (w / h) / wanted <= _SAME_ASPECT for w, h in sizes]
    return "stretch" if sum(near) >= _MOST * len(near) else "crop"


def resize(pixels: NDArray[np.uint8], height: int, width: int, channels: int, policy: str) -> NDArray[np.uint8]:
    """Pixels uint8 [H, W, C] to uint8 [height, width, channels], antialiased (Lanczos).

    fit pads with the mean colour of the image's border, crop keeps the largest centre of the right aspect, stretch
    changes the aspect.
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
    """What was chosen for images of these (width, height), and why, for people."""
    middle = f"{median(h for _, h in sizes):g}x{median(w for w, _ in sizes):g}"
    words = {"fit": "padded to the aspect", "crop": "cut to their centre", "stretch": "stretched to the aspect"}[policy]
    larger = " (--size sets another, up to 256)" if median(min(size) for size in sizes) > max(height, width) else ""
    return f"models work at {height}x{width} pixels{larger}: the images, {middle} at the median, are {words}"


def _padded(image: Image.Image, height: int, width: int, colour: int | tuple[int, ...]) -> Image.Image:
    """As ImageOps.pad, which fails on lines of one pixel: each side keeps at least one."""
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
