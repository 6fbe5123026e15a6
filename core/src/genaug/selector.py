"""The contract of a selector: which candidates deserve a place in the data set."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import torch
from torch import Tensor

from genaug.config import SelectorConfig
from genaug.data.split import TrainSplit


@dataclass(frozen=True)
class Candidates:
    """Drawn images of one class: float [N, C, H, W] in [-1, 1], their label, their parents int64 [N, k]."""

    images: Tensor
    label: int
    parents: Tensor


@dataclass(frozen=True)
class Verdict:
    """What a selector says of one candidate: whether it stays, a score in [0, 1], and why."""

    keep: bool
    score: float
    reason: str


class Tools(Protocol):
    """What core lends to selectors: views of images by classifiers that never saw their parents, and chance."""

    def features(self, images: Tensor, parents: Tensor) -> Tensor:
        """Cross-fitted classifier features, float32 [N, D]."""
        ...

    def probabilities(self, images: Tensor, parents: Tensor) -> Tensor:
        """Cross-fitted class probabilities, float32 [N, K]."""
        ...

    def stream(self, purpose: str) -> torch.Generator:
        """A random stream that belongs to this selector and purpose."""
        ...


Config = TypeVar("Config", bound=SelectorConfig)


class Selector(ABC, Generic[Config]):
    """Judges candidates of one class at a time, after one look at the training split."""

    def __init__(self, config: Config) -> None:
        self.config = config

    @abstractmethod
    def fit(self, train: TrainSplit, tools: Tools) -> None:
        """Learn thresholds from the training images."""

    @abstractmethod
    def judge(self, candidates: Candidates, accepted: Tensor, wanted: int) -> Sequence[Verdict]:
        """One verdict per candidate; accepted [M, C, H, W] were kept before, wanted is how many are still needed."""
