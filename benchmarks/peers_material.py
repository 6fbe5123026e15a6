"""What the sides of peers.py share: images, a clock, batches, and a denoiser."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

SIDE, CLASSES, PER_CLASS = 64, 10, 30
WARM = 3
BATCH = {"dcgan": 32, "dcgan-ten": 30, "vae": 32, "ddpm": 16}


def digits(side: int = SIDE) -> tuple[np.ndarray, np.ndarray]:
    """uint8 [N, H, W, 3] and labels int64 [N], class by class."""
    from sklearn.datasets import load_digits

    found = load_digits()
    rows = np.concatenate([np.flatnonzero(found.target == label)[:PER_CLASS] for label in range(CLASSES)])
    small = torch.from_numpy(found.images[rows]).float()[:, None] / 16
    large = F.interpolate(small, size=(side, side), mode="bilinear").expand(-1, 3, -1, -1)
    return (large * 255).round().byte().permute(0, 2, 3, 1).contiguous().numpy(), found.target[rows].astype(np.int64)


class Clock:
    """Images per second after a few steps to warm up."""

    def __init__(self) -> None:
        self._marks: list[float] = []
        self.loss = 0.0

    def tick(self, loss: float = 0.0) -> None:
        """Call it after each step."""
        self._marks.append(time.perf_counter())
        self.loss = loss

    def speed(self, batch: int) -> dict[str, float]:
        """What is printed."""
        timed = self._marks[WARM:]
        return {"images_per_second": batch * (len(timed) - 1) / (timed[-1] - timed[0]), "loss": self.loss}


def batches(images: np.ndarray, batch: int) -> Iterator[Tensor]:
    """Shuffled batches without end, as a DataLoader gives them: float [N, C, H, W] in [-1, 1]."""
    data = TensorDataset(torch.from_numpy(images).permute(0, 3, 1, 2).float() / 127.5 - 1)
    loader = DataLoader(data, batch, shuffle=True, drop_last=True)
    while True:
        for (found,) in loader:
            yield found


def denoiser() -> nn.Module:
    """An untrained denoiser for 32 pixels, which both samplers use."""
    from genaug_ddpm.networks import CompactNetwork

    torch.manual_seed(0)
    return CompactNetwork((3, 32, 32), 48, 2, 0)


def image_files(folder: str) -> Path:
    """Write the digits at 128 pixels as JPEG files, one folder for each class; returns the folder of all."""
    from PIL import Image

    images, labels = digits(128)
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = Path(folder) / "data" / str(label)
        path.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path / f"{number:03d}.jpg")
    return Path(folder) / "data"
