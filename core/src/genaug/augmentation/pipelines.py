"""Albumentations pipelines that make variants of training images, once, each a function of (seed, row, copy)."""

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genaug.chance import derive

_SEED_RANGE = 2**32


def variants(images: NDArray[np.uint8], pipeline: str, enlargement: int, seed: int) -> NDArray[np.uint8]:
    """uint8 [N, H, W, C] to uint8 [N * enlargement, H, W, C]; the variants of image i stand together.

    none repeats the images. paper is the report's: rotation up to 15 degrees, slight colour jitter, perspective of 5 to
    10 %, each always. light is about half of it, each half of the time. Borders are reflected; nothing is flipped.
    """
    if pipeline == "none":
        return np.repeat(images, enlargement, axis=0)
    change = _pipeline(pipeline, images.shape[3])
    made = np.empty((len(images) * enlargement, *images.shape[1:]), dtype=np.uint8)
    for place in range(len(made)):
        row, copy = divmod(place, enlargement)
        change.set_random_seed(derive(seed, "variants", row, copy) % _SEED_RANGE)
        made[place] = change(image=images[row])["image"].reshape(images.shape[1:])
    return made


def _pipeline(name: str, channels: int) -> Any:
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # else its import asks the network
    import albumentations
    import cv2

    turn, colour, depth, often = {"paper": (15, 0.1, (0.05, 0.1), 1.0), "light": (8, 0.05, (0.02, 0.05), 0.5)}[name]
    jitter = {"brightness": (1 - colour, 1 + colour), "contrast": (1 - colour, 1 + colour)}
    if channels == 3:
        jitter |= {"saturation": (1 - colour, 1 + colour), "hue": (-colour / 2, colour / 2)}
    else:
        jitter |= {"saturation": (1.0, 1.0), "hue": (0.0, 0.0)}
    return albumentations.Compose(
        [
            albumentations.Rotate(limit=(-turn, turn), border_mode=cv2.BORDER_REFLECT_101, p=often),
            albumentations.ColorJitter(**jitter, p=often),
            albumentations.Perspective(scale=depth, keep_size=True, border_mode=cv2.BORDER_REFLECT_101, p=often),
        ]
    )
