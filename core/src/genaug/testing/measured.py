"""Real and synthetic images of the metric kit, as the values that a metric needs: good ones and clearly worse ones."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from genaug.chance import stream
from genaug.images import to_float
from genaug.metric import Measured
from genaug.testing.material import tiny_images

ValueKind = Literal["pixels", "features", "probabilities", "classes"]
Harm = Literal["noise", "copies", "repeats"]

_CLASSES, _SIZE, _FEATURES = 3, 16, 8
_REAL, _SYNTHETIC = 42, 30
_SEPARATION = 4.0  # of the classes in features, in standard deviations within a class


@dataclass(frozen=True)
class Material:
    """Images of three classes as the values of one kind; always the same.

    needs: the kind of values, as in genaug.metric.Metric. Real images and good synthetic ones come from one
    distribution.
    """

    needs: ValueKind

    @property
    def real(self) -> Measured:
        """42 real images."""
        return self._images(_REAL, "real")

    @property
    def good(self) -> Measured:
        """30 synthetic images: new ones of the same kind as the real ones."""
        return self._images(_SYNTHETIC, "good")

    def worse(self, harm: Harm) -> Measured:
        """30 synthetic images: noise, copies of real images, or one image of each class again and again."""
        if harm == "copies":
            return self.real.rows(torch.arange(_SYNTHETIC))
        if harm == "repeats":
            return self.good.rows(torch.arange(_SYNTHETIC) % _CLASSES)
        labels, source = _labels(_SYNTHETIC), stream(0, "metric kit", "noise")
        noise = torch.rand((_SYNTHETIC, *self.good.values.shape[1:]), generator=source)
        if self.needs in ("probabilities", "classes"):
            return Measured(noise / noise.sum(dim=1, keepdim=True), labels)
        return Measured(noise * 2 - 1 - (0.0 if self.needs == "pixels" else 2 * _SEPARATION), labels)

    def _images(self, count: int, name: str) -> Measured:
        labels = _labels(count)
        if self.needs == "pixels":
            shape = (_SIZE, _SIZE, 3)
            return Measured(to_float(tiny_images(labels.numpy(), shape, f"metric kit {name}")), labels)
        spread = torch.randn((count, _FEATURES), generator=stream(0, "metric kit", name))
        if self.needs == "features":
            return Measured(_SEPARATION * _one_hot(labels, _FEATURES) + spread, labels)
        return Measured(torch.softmax(_SEPARATION * _one_hot(labels, _CLASSES) + spread[:, :_CLASSES], dim=1), labels)


def _labels(count: int) -> Tensor:
    return torch.arange(count) % _CLASSES


def _one_hot(labels: Tensor, width: int) -> Tensor:
    return torch.nn.functional.one_hot(labels, width).float()
