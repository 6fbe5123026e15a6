"""Images in memory as a torch data set with the attributes of torchvision's ImageFolder."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch.utils.data import Dataset


class ImageDataset(Dataset[tuple[Any, int]]):
    """(image, label) pairs; images are PIL images, or what `transform` returns for them.

    images: N arrays uint8 [H, W, C] with C 1 or 3, which may differ in size. targets: N labels. classes: names in label
    order.
    """

    def __init__(self, images: Sequence[NDArray[np.uint8]], targets: Sequence[int], classes: Sequence[str]) -> None:
        self.images = images
        self.targets = list(targets)
        self.classes = list(classes)
        self.class_to_idx = {name: label for label, name in enumerate(self.classes)}
        self.transform: Callable[[Image.Image], Any] | None = None

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        pixels = self.images[index]
        image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
        return (self.transform(image) if self.transform else image), self.targets[index]
