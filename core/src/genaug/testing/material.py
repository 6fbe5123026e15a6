"""Tiny training images for the conformance tests."""

import numpy as np
import torch
from numpy.typing import NDArray

from genaug.chance import stream
from genaug.data.split import TrainSplit
from genaug.spec import ImageSpec


def tiny_split(channels: int, height: int, width: int, counts: tuple[int, ...] = (5, 4, 3)) -> TrainSplit:
    """A TrainSplit whose classes are bright rectangles in different corners on noise; class i has counts[i] images.

    channels: 1 or 3. height, width: multiples of 8 from 16 on. At most eight classes. Always the same images.
    """
    labels = np.repeat(np.arange(len(counts)), counts).astype(np.int64)
    images = tiny_images(labels, (height, width, channels), "tiny split")
    spec = ImageSpec(channels, height, width, tuple("abcdefgh"[: len(counts)]), counts)
    names = [f"{number:03d}" for number in range(len(labels))]
    return TrainSplit.ordered(spec, images, labels, names, names)


def tiny_images(labels: NDArray[np.int64], shape: tuple[int, int, int], name: str) -> NDArray[np.uint8]:
    """Images of these classes as `tiny_split` has them, uint8 [N, H, W, C]; `name` decides the noise.

    shape: (H, W, C).
    """
    height, width, channels = shape
    noise = torch.randint(0, 120, (len(labels), height, width, channels), generator=stream(0, name))
    images = noise.numpy().astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        top, left = height // 2 * int(label // 2 % 2), width // 2 * int(label % 2)
        image[top : top + height // 2, left : left + width // 2] = 230
    return images
