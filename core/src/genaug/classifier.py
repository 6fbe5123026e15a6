"""The small classifier that judges data sets, trained by the same loop as all else."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from genaug.config import TrainConfig
from genaug.data.split import TrainSplit
from genaug.generator import Batch, Trainable
from genaug.images import to_float
from genaug.spec import ImageSpec
from genaug.training import train

_WIDTHS = (32, 64, 128)
_CHUNK = 256


class Classifier(Trainable):
    """A plain convolutional network of three stages, global average pooling and a linear head."""

    def __init__(self, spec: ImageSpec) -> None:
        self.spec = spec
        self.networks = {}

    def build(self) -> dict[str, nn.Module]:
        """One network: images [N, C, H, W] to logits [N, K]."""
        layers: list[nn.Module] = []
        for before, width in zip((self.spec.channels, *_WIDTHS), _WIDTHS, strict=False):
            layers += [nn.Conv2d(before, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)]
        head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(_WIDTHS[-1], len(self.spec.classes))]
        return {"classifier": nn.Sequential(*layers, *head)}

    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        """Cross-entropy."""
        yield "classifier", F.cross_entropy(self.networks["classifier"](batch.images).float(), batch.labels)

    def optimizer(self, name: str) -> torch.optim.Optimizer:
        """AdamW, learning rate 1e-3, weight decay 1e-2."""
        return torch.optim.AdamW(self.networks[name].parameters(), lr=1e-3, weight_decay=1e-2)

    @torch.no_grad()
    def probabilities(self, images: NDArray[np.uint8]) -> Tensor:
        """uint8 [N, H, W, C] to class probabilities float32 [N, K]."""
        network = self.networks["classifier"].eval()
        starts = range(0, len(images), _CHUNK)
        logits = [network(to_float(images[start : start + _CHUNK])) for start in starts]
        return torch.cat(logits).softmax(dim=1)


def fit_classifier(split: TrainSplit, *, steps: int, seed: int, threads: int | None = None) -> Classifier:
    """A classifier trained for a fixed number of steps, so that data sets of any size cost the same."""
    classifier = Classifier(split.spec)
    config = TrainConfig(steps=steps, batch_size=64, schedule="cosine", warmup_steps=min(20, steps - 1))
    train(classifier, split, config, seed=seed, threads=threads)
    return classifier
