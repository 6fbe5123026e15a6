"""What selectors are lent: cross-fitted classifiers, trained when first asked for, and chance."""

from collections.abc import Callable
from functools import cached_property

import torch
from torch import Tensor

from genaug.chance import stream
from genaug.features import CrossFit
from genaug.images import to_uint8


class CrossFitTools:
    """Tools (see genaug.selector) around classifiers that `make` trains when a selector first needs them."""

    def __init__(self, make: Callable[[], CrossFit], *, seed: int) -> None:
        self._make, self._seed = make, seed

    @cached_property
    def judges(self) -> CrossFit:
        """The classifiers."""
        return self._make()

    @property
    def folds(self) -> Tensor:
        """The fold of each training row, int64 [N]."""
        return self.judges.folds

    def features(self, images: Tensor, stems: Tensor) -> Tensor:
        """Float [N, C, H, W] in [-1, 1] and training rows int64 [N] to float32 [N, D]."""
        return self.judges.features(to_uint8(images), stems)

    def probabilities(self, images: Tensor, stems: Tensor) -> Tensor:
        """Float [N, C, H, W] in [-1, 1] and training rows int64 [N] to float32 [N, K]."""
        return self.judges.probabilities(to_uint8(images), stems)

    def stream(self, purpose: str) -> torch.Generator:
        """A random stream of the run's seed and that purpose."""
        return stream(self._seed, "selector", purpose)
