"""Albumentations pipelines that make variants of training images, once, each a function of (seed, place, copy)."""

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genaug.augmentation.changes import FLIPS
from genaug.chance import derive
from genaug.config import AllowedChanges

_SEED_RANGE = 2**32


def variants(
    images: NDArray[np.uint8], pipeline: str, enlargement: int, seed: int, allowed: AllowedChanges | None = None
) -> NDArray[np.uint8]:
    """uint8 [N, H, W, C] to uint8 [N * enlargement, H, W, C]; the variants of image i stand together.

    none repeats the images. paper is the report's: rotation up to 15 degrees, slight colour jitter, perspective of 5 to
    10 %, each always. light is about half of it, each half of the time. Borders are reflected. What is allowed adds
    flips, each made half of the time, and takes away rotation or hue; nothing is flipped when it is left out.
    """
    allowed = allowed or AllowedChanges()
    made = _flipped(np.repeat(images, enlargement, axis=0), enlargement, seed, allowed)
    if pipeline == "none":
        return made
    change = _pipeline(pipeline, images.shape[3], allowed)
    for place, image in enumerate(made):
        change.set_random_seed(derive(seed, "variants", *divmod(place, enlargement)) % _SEED_RANGE)
        made[place] = change(image=image)["image"].reshape(image.shape)
    return made


def _flipped(images: NDArray[np.uint8], enlargement: int, seed: int, allowed: AllowedChanges) -> NDArray[np.uint8]:
    for name in allowed.flips:
        tossed = [derive(seed, "flip", name, *divmod(place, enlargement)) for place in range(len(images))]
        heads = np.array(tossed, dtype=np.int64) % 2 == 1
        images[heads] = FLIPS[name](images[heads])
    return images


def _pipeline(name: str, channels: int, allowed: AllowedChanges) -> Any:
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # else its import asks the network
    import albumentations
    import cv2

    turn, colour, depth, often = {"paper": (15, 0.1, (0.05, 0.1), 1.0), "light": (8, 0.05, (0.02, 0.05), 0.5)}[name]
    saturation, hue = (colour, colour / 2) if channels == 3 else (0.0, 0.0)
    jitter = {"brightness": (1 - colour, 1 + colour), "contrast": (1 - colour, 1 + colour)}
    jitter |= {"saturation": (1 - saturation, 1 + saturation), "hue": (-hue, hue) if allowed.hue else (0.0, 0.0)}
    turns = [albumentations.Rotate(limit=(-turn, turn), border_mode=cv2.BORDER_REFLECT_101, p=often)]
    return albumentations.Compose(
        [
            *(turns if allowed.turns else []),
            albumentations.ColorJitter(**jitter, p=often),
            albumentations.Perspective(scale=depth, keep_size=True, border_mode=cv2.BORDER_REFLECT_101, p=often),
        ]
    )
