"""The contract of a generator: which networks it trains, what it stores after training, how it draws images."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from genaug.chance import Noise
from genaug.config import GeneratorConfig
from genaug.spec import ImageSpec

__all__ = ["Batch", "Drawn", "Generator", "Trainable", "VariantGenerator"]


@dataclass(frozen=True)
class Batch:
    """The training images of one step.

    images: float32 [N, C, H, W] in [-1, 1].
    labels: int64 [N] in [0, K).
    rows: int64 [N], row ids in the TrainSplit.
    step: number of this step, from 0.
    progress: share of the training that is done, in [0, 1).
    noise: the random numbers of this step, for N images, on the device of the images.
    """

    images: Tensor
    labels: Tensor
    rows: Tensor
    step: int
    progress: float
    noise: Noise


@dataclass(frozen=True)
class Drawn:
    """Synthetic images and the training images that each was drawn from.

    images: float [N, C, H, W] in [-1, 1].
    parents: int64 [N, k], row ids of the training images that each image was drawn from; -1 where an image has fewer
        than k. k is 0 for a generator that draws from no image in particular.
    """

    images: Tensor
    parents: Tensor

    @classmethod
    def without_parents(cls, images: Tensor) -> "Drawn":
        """Images that were drawn from no training image in particular."""
        return cls(images, torch.empty((len(images), 0), dtype=torch.int64))


class Trainable(ABC):
    """Networks and their losses, which the training loop (genaug.training) can train.

    The loop fills `networks` with what `build` returns, moves them to the device and does the rest: optimiser steps,
    learning-rate schedule, gradient clipping, averages, precision, checkpoints. A Trainable must not count steps
    itself, or a resumed training would differ: use `batch.step` or `batch.progress`.

    averaged: names of the networks of which the exponential average over training is used afterwards.
    frozen: names of networks that are never trained, such as a pretrained one. They are on the device, always in eval
        mode and without gradients, and in no checkpoint and no saved model; `build` must create them the same each
        time.
    adapted: names of networks of which only the parameters with gradients are trained and saved, such as the adapters
        of a pretrained network; `build` must create the other parameters the same each time.
    networks: the networks by name, on their device.
    """

    averaged: ClassVar[frozenset[str]] = frozenset()
    frozen: ClassVar[frozenset[str]] = frozenset()
    adapted: ClassVar[frozenset[str]] = frozenset()
    networks: dict[str, nn.Module]

    @abstractmethod
    def build(self) -> dict[str, nn.Module]:
        """New networks by name; may be empty. The loop seeds torch's global random generator for this call."""

    @abstractmethod
    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        """Yield pairs of (network name, scalar loss).

        After each pair the loop updates the weights of that network, and only then continues this function.
        """

    def optimizer(self, name: str) -> torch.optim.Optimizer:
        """The optimiser of one network; Adam with learning rate 2e-4 unless overridden.

        It takes the parameters that have `requires_grad`; others are not trained, whatever the optimiser.
        """
        return torch.optim.Adam([one for one in self.networks[name].parameters() if one.requires_grad], lr=2e-4)


Config = TypeVar("Config", bound=GeneratorConfig)


class Generator(Trainable, Generic[Config]):
    """Draws images of a requested class, after training on a TrainSplit.

    spec: channels, size and classes of the images. config: the generator's own settings.
    memory: what `remember` returned, on the device of the networks; core stores it with the weights.
    """

    def __init__(self, spec: ImageSpec, config: Config) -> None:
        self.spec = spec
        self.config = config
        self.networks = {}
        self.memory: dict[str, Tensor] = {}

    def remember(self, known: Batch) -> dict[str, Tensor]:
        """Tensors that `sample` needs besides the networks, such as latent codes or training images; none by default.

        Called once after training, without gradients and with the networks in eval mode.
        known: all training images in one batch, without augmentation.
        """
        return {}

    @abstractmethod
    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        """Images of the requested classes, labels int64 [N], with one noise stream per image.

        Called without gradients and with the networks in eval mode. An image may depend only on its label and its
        noise, never on the other images of the batch.
        """


AnyGenerator = Generator[Any]


class VariantGenerator(Generator[Config]):
    """Draws variants or copies of single real images; its description says `from_originals`.

    Each image of `sample` has exactly one parent, the training image that it is a variant of.
    """

    @abstractmethod
    def from_original(self, original: NDArray[np.uint8], noise: Noise) -> NDArray[np.uint8]:
        """An image of `sample` again, from the original of its parent.

        original: uint8 [H, W, C], the parent as its file holds it, of any size. noise: the noise of this image, as
        `sample` received it, for one image. Returns uint8 [H, W, C] of the same size.
        """


class Sampler(Protocol):
    """A trained generator, as core uses it to draw images."""

    spec: ImageSpec

    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        """Images of the requested classes, labels int64 [N]; raises UsageError for a label outside [0, K)."""
        ...
