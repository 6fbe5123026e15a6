"""The contract of a generator: what it trains, what it remembers, what it draws."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from genaug.chance import Noise
from genaug.config import GeneratorConfig
from genaug.spec import ImageSpec


@dataclass(frozen=True)
class Batch:
    """One step's training images.

    images: float32 [N, C, H, W] in [-1, 1]. labels: int64 [N] in [0, K). rows: int64 [N], row ids in the TrainSplit.
    step: from 0. progress: share of the training that is over, in [0, 1).
    noise: random numbers of this step, for N images, on the device of the images.
    """

    images: Tensor
    labels: Tensor
    rows: Tensor
    step: int
    progress: float
    noise: Noise


@dataclass(frozen=True)
class Drawn:
    """Synthetic images float [N, C, H, W] in [-1, 1] and their parents int64 [N, k]: row ids leaned on, k may be 0."""

    images: Tensor
    parents: Tensor

    @classmethod
    def without_parents(cls, images: Tensor) -> "Drawn":
        """Images that lean on no training image in particular."""
        return cls(images, torch.empty((len(images), 0), dtype=torch.int64))


class Trainable(ABC):
    """What the one loop can train: networks, and losses that say which network each of them moves.

    The loop fills `networks` from `build`, moves them to the device and owns all that follows: optimisers' steps,
    schedules, clipping, averages, precision, checkpoints. A trainable keeps no counters: whatever changes with time
    follows `batch.step` or `batch.progress`.

    averaged: names of the networks whose exponential average is what is used after training.
    """

    averaged: ClassVar[frozenset[str]] = frozenset()
    networks: dict[str, nn.Module]

    @abstractmethod
    def build(self) -> dict[str, nn.Module]:
        """Fresh networks by name; may be empty. Torch's global chance is seeded around this call."""

    @abstractmethod
    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        """Yield (network name, scalar loss) in the order in which weights move.

        The loop steps that network before it asks for the next pair.
        """

    def optimizer(self, name: str) -> torch.optim.Optimizer:
        """The optimiser of one network: Adam with learning rate 2e-4 unless overridden."""
        return torch.optim.Adam(self.networks[name].parameters(), lr=2e-4)


Config = TypeVar("Config", bound=GeneratorConfig)


class Generator(Trainable, Generic[Config]):
    """Draws images of a wanted class after training on a TrainSplit.

    memory: what `remember` returned, on the device of the networks; core stores it with the model.
    """

    def __init__(self, spec: ImageSpec, config: Config) -> None:
        self.spec = spec
        self.config = config
        self.networks = {}
        self.memory: dict[str, Tensor] = {}

    def remember(self, known: Batch) -> dict[str, Tensor]:
        """What sampling leans on (latents, reference images), taken once after training; nothing by default.

        known: all training images as they are, without variants, in one batch. Called as `sample` is.
        """
        return {}

    @abstractmethod
    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        """Images of the wanted classes, labels int64 [N], with one noise stream per image.

        Called without gradients and with the networks in eval mode. An image may depend only on its label and its
        noise, never on its neighbours.
        """


AnyGenerator = Generator[Any]


class Sampler(Protocol):
    """All that mixing ever sees of a trained generator."""

    spec: ImageSpec

    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        """Images of the wanted classes; raises UsageError for a label outside [0, K)."""
        ...
