"""What core provides to selectors: cross-fitted classifiers, trained when they are first needed, and random streams."""

from collections.abc import Callable
from functools import cached_property

import torch
from torch import Tensor

from genaug.chance import stream
from genaug.features import CrossFit
from genaug.images import to_uint8


class CrossFitTools:
    """The Tools of genaug.selector, built on classifiers that `train` trains when a selector first needs them."""

    def __init__(self, train: Callable[[], CrossFit], *, seed: int) -> None:
        self._train, self._seed = train, seed

    @cached_property
    def judges(self) -> CrossFit:
        """The classifiers."""
        return self._train()

    @property
    def folds(self) -> Tensor:
        """The fold of each training row, int64 [N]."""
        return self.judges.folds

    def features(self, images: Tensor, sources: Tensor) -> Tensor:
        """Float images [N, C, H, W] in [-1, 1] and their source rows int64 [N] to features float32 [N, D]."""
        return self.judges.features(to_uint8(images), sources)

    def probabilities(self, images: Tensor, sources: Tensor) -> Tensor:
        """Float images [N, C, H, W] in [-1, 1] and their source rows int64 [N] to probabilities float32 [N, K]."""
        return self.judges.probabilities(to_uint8(images), sources)

    def stream(self, purpose: str) -> torch.Generator:
        """The random stream of the run's seed and this purpose."""
        return stream(self._seed, "selector", purpose)
