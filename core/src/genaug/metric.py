"""The contract of a metric: numbers that compare real with synthetic images."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Generic, Literal, TypeVar

import torch
from torch import Tensor

from genaug.config import MetricConfig


@dataclass(frozen=True)
class Measured:
    """One side of a comparison: values [N, ...] of the kind the metric needs, and labels int64 [N].

    Values are pixels float32 [N, C, H, W] in [-1, 1], features float32 [N, D], or probabilities float32 [N, K].
    """

    values: torch.Tensor
    labels: torch.Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, rows: Tensor) -> "Measured":
        """Some of the images: indices int64 or a mask bool."""
        return Measured(self.values[rows], self.labels[rows])


Config = TypeVar("Config", bound=MetricConfig)


class Metric(ABC, Generic[Config]):
    """Compares real with synthetic images; core computes what it needs, and owns classes, intervals and floors.

    reference: which real images `compute` is given, those that were trained on or those that were held out.
    Subclass ShareMetric or KernelMetric where they fit: core then has an interval to offer.
    """

    needs: ClassVar[Literal["pixels", "features", "probabilities"]]
    reference: ClassVar[Literal["train", "held-out"]] = "train"
    higher_is_better: ClassVar[bool]

    def __init__(self, config: Config) -> None:
        self.config = config

    @abstractmethod
    def compute(self, real: Measured, synthetic: Measured) -> dict[str, float]:
        """Named values of this comparison; pure: the same input gives the same output."""


class ShareMetric(Metric[Config]):
    """A share of images: of the synthetic ones, or of the held-out real ones where those are the reference."""

    @abstractmethod
    def each(self, real: Measured, synthetic: Measured) -> dict[str, Tensor]:
        """Named verdicts bool [N], one for each image that is counted."""

    def compute(self, real: Measured, synthetic: Measured) -> dict[str, float]:
        """The shares."""
        return {name: verdicts.double().mean().item() for name, verdicts in self.each(real, synthetic).items()}


@dataclass(frozen=True)
class Kernels:
    """Kernel values among real images [N, N], real x synthetic [N, M], and among synthetic images [M, M]."""

    real: Tensor
    across: Tensor
    synthetic: Tensor


class KernelMetric(Metric[Config]):
    """An unbiased squared kernel distance (MMD)."""

    higher_is_better = False

    @abstractmethod
    def kernels(self, real: Measured, synthetic: Measured) -> Mapping[str, Kernels]:
        """Named kernel matrices, float64."""

    def compute(self, real: Measured, synthetic: Measured) -> dict[str, float]:
        """The distances."""
        return {name: squared_mmd(found) for name, found in self.kernels(real, synthetic).items()}


def squared_mmd(kernels: Kernels) -> float:
    """Unbiased estimate of the squared maximum mean discrepancy (Gretton et al. 2012, JMLR 13, eq. 3); may be below 0.

    Not a number below two images on either side.
    """
    n, m = kernels.across.shape
    if min(n, m) < 2:
        return float("nan")
    within = [(k.sum() - k.trace()) / (len(k) * (len(k) - 1)) for k in (kernels.real, kernels.synthetic)]
    return float(within[0] + within[1] - 2 * kernels.across.mean())
