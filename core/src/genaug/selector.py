"""The contract of a selector: which candidates deserve a place in the data set."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, Protocol, TypeVar

import torch
from torch import Tensor

from genaug.config import SelectorConfig
from genaug.data.split import TrainSplit


@dataclass(frozen=True)
class Candidates:
    """Drawn images of one class: float [N, C, H, W] in [-1, 1], their label, and where they stem from.

    parents: int64 [N, k], row ids that the generator leaned on, -1 where there are fewer. stems: int64 [N], the
    training row that each is judged to stem from: the parent that looks most like it, or the nearest image without one.
    """

    images: Tensor
    label: int
    parents: Tensor
    stems: Tensor


@dataclass(frozen=True)
class Verdict:
    """What a selector says of one candidate: whether it stays, a score in [0, 1], and why."""

    keep: bool
    score: float
    reason: str


class Tools(Protocol):
    """What core lends to selectors: views of images by classifiers that never saw their stems, and chance.

    folds: int64 [N], the fold of each training row. Every fold has a classifier of its own, trained on all other folds,
    so features can be compared only between images whose stems share a fold; probabilities can always be compared.
    """

    @property
    def folds(self) -> Tensor:
        """The fold of each training row, int64 [N]."""
        ...

    def features(self, images: Tensor, stems: Tensor) -> Tensor:
        """Cross-fitted classifier features, float32 [N, D], each by the classifier of its stem's fold."""
        ...

    def probabilities(self, images: Tensor, stems: Tensor) -> Tensor:
        """Cross-fitted class probabilities, float32 [N, K], each by the classifier of its stem's fold."""
        ...

    def stream(self, purpose: str) -> torch.Generator:
        """A random stream that belongs to this selector and purpose."""
        ...


Config = TypeVar("Config", bound=SelectorConfig)


class Selector(ABC, Generic[Config]):
    """Judges candidates of one class at a time, after one look at the training split.

    chooses: False for one that judges images as they come, a few at a time, until enough are kept; True for one that
    must see all of them at once, is asked last, and keeps at most as many as are wanted. spare: for one that chooses,
    how many candidates it would like for each image that is wanted.
    """

    chooses: ClassVar[bool] = False

    def __init__(self, config: Config) -> None:
        self.config = config

    @property
    def spare(self) -> float:
        """Candidates for each wanted image; 1 unless overridden."""
        return 1.0

    @abstractmethod
    def fit(self, train: TrainSplit, tools: Tools) -> None:
        """Learn thresholds from the training images."""

    @abstractmethod
    def judge(self, candidates: Candidates, accepted: Tensor, wanted: int) -> Sequence[Verdict]:
        """One verdict per candidate; accepted [M, C, H, W] were kept before, wanted is how many are still needed."""
