"""Albumentations pipelines for variants of training images; each variant depends on (seed, image, variant) alone."""

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
    """`enlargement` variants of each image: uint8 [N, H, W, C] to uint8 [N * enlargement, H, W, C], grouped by image.

    pipeline: "none" repeats the images. "paper" is the pipeline of the paper (docs/paper.md): a rotation of up to 15
        degrees, slight colour jitter and a perspective change of 5 to 10 %, each applied to every variant. "light" has
        about half of these strengths, each applied to half of the variants. Borders are reflected. Nothing is enlarged,
        and the interpolation is Lanczos: so a variant is as sharp as its image, and blur does not give it away.
    allowed: flips to add, each applied to half of the variants, and whether rotation and hue changes are permitted;
        None for no flips, and both permitted.
    """
    allowed = allowed or AllowedChanges()
    result = _flipped(np.repeat(images, enlargement, axis=0), enlargement, seed, allowed)
    if pipeline == "none":
        return result
    change = _pipeline(pipeline, images.shape[3], allowed)
    for place, image in enumerate(result):
        change.set_random_seed(derive(seed, "variants", *divmod(place, enlargement)) % _SEED_RANGE)
        result[place] = change(image=image)["image"].reshape(image.shape)
    return result


def _flipped(images: NDArray[np.uint8], enlargement: int, seed: int, allowed: AllowedChanges) -> NDArray[np.uint8]:
    for name in allowed.flips:
        draws = [derive(seed, "flip", name, *divmod(place, enlargement)) for place in range(len(images))]
        chosen = np.array(draws, dtype=np.int64) % 2 == 1
        images[chosen] = FLIPS[name](images[chosen])
    return images


def _pipeline(name: str, channels: int, allowed: AllowedChanges) -> Any:
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # without it, the import contacts a server
    import albumentations
    import cv2

    turn, colour, depth, often = {"paper": (15, 0.1, (0.05, 0.1), 1.0), "light": (8, 0.05, (0.02, 0.05), 0.5)}[name]
    saturation, hue = (colour, colour / 2) if channels == 3 else (0.0, 0.0)
    jitter = {"brightness": (1 - colour, 1 + colour), "contrast": (1 - colour, 1 + colour)}
    jitter |= {"saturation": (1 - saturation, 1 + saturation), "hue": (-hue, hue) if allowed.hue else (0.0, 0.0)}
    warp = {"interpolation": cv2.INTER_LANCZOS4, "border_mode": cv2.BORDER_REFLECT_101, "p": often}
    return albumentations.Compose(
        [
            *([albumentations.Rotate(limit=(-turn, turn), **warp)] if allowed.turns else []),
            albumentations.ColorJitter(**jitter, p=often),
            albumentations.Perspective(scale=depth, keep_size=True, fit_output=True, **warp),
        ]
    )
