"""The contract of a selector, which decides whether generated images are kept for the data set."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, Protocol, TypeVar

import torch
from torch import Tensor

from genaug.config import SelectorConfig
from genaug.data.split import TrainSplit

__all__ = ["Candidates", "Selector", "Tools", "Verdict"]


@dataclass(frozen=True)
class Candidates:
    """Generated images of one class, float [N, C, H, W] in [-1, 1], their label, and the training images behind them.

    parents: int64 [N, k], rows of the training images that the generator used for each image, -1 for none. sources:
    int64 [N], the row of each image's source image: the parent that looks most like it, or the nearest training image
    if it has no parent.
    """

    images: Tensor
    label: int
    parents: Tensor
    sources: Tensor


@dataclass(frozen=True)
class Verdict:
    """The decision on one candidate: whether to keep it, a score in [0, 1], and the reason for a rejection.

    copied: the row of the training image that a rejected candidate copies, so that it can be shown beside it.
    """

    keep: bool
    score: float
    reason: str
    copied: int | None = None


class Tools(Protocol):
    """What core gives to selectors: outputs of cross-fitted classifiers, and random streams.

    The training images are divided into folds; the classifier of a fold is trained on all other folds. An image is
    judged by the classifier of its source's fold, which has not seen that source. Features can be compared only between
    images whose sources are in the same fold; probabilities can always be compared.
    """

    @property
    def folds(self) -> Tensor:
        """The fold of each training row, int64 [N]."""
        ...

    def features(self, images: Tensor, sources: Tensor) -> Tensor:
        """Classifier features float32 [N, D] of images [N, C, H, W] with sources int64 [N]."""
        ...

    def probabilities(self, images: Tensor, sources: Tensor) -> Tensor:
        """Class probabilities float32 [N, K] of images [N, C, H, W] with sources int64 [N]."""
        ...

    def stream(self, purpose: str) -> torch.Generator:
        """A random stream for this selector and purpose."""
        ...


Config = TypeVar("Config", bound=SelectorConfig)


class Selector(ABC, Generic[Config]):
    """Judges the candidates of one class at a time, after it was fitted once on the training split.

    chooses: False for a selector that judges candidates in small batches until enough are kept. True for a selector
    that compares all candidates of a class with each other; it comes last, is called once for each class, and keeps at
    most as many as are wanted.
    """

    chooses: ClassVar[bool] = False

    def __init__(self, config: Config) -> None:
        self.config = config

    @property
    def spare(self) -> float:
        """Candidates that a selector that chooses compares per wanted image; 1 unless overridden."""
        return 1.0

    @abstractmethod
    def fit(self, train: TrainSplit, tools: Tools) -> None:
        """Prepare for judging, for example learn thresholds from the training images; called once."""

    def refused(self) -> Mapping[int, str]:
        """Labels of classes of which no candidate would be kept, each with the reason; none unless overridden.

        Called after `fit`. No images of these classes are drawn.
        """
        return {}

    @abstractmethod
    def judge(self, candidates: Candidates, accepted: Tensor, wanted: int) -> Sequence[Verdict]:
        """One verdict per candidate, in order.

        accepted: images [M, C, H, W] that were kept before. wanted: number of images that are still needed.
        """
