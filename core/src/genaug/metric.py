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

    Values are pixels float32 [N, C, H, W] in [-1, 1], features float32 [N, D], or probabilities float32 [N, K]: of the
    classes that the network at hand knows, or ("classes") of the K classes of the data set.
    kin int64 [N, k] are groups of near-duplicates among training images: of a training image its own, of a synthetic
    one those that it is known to be made from, -1 for none. None where nothing is known.
    """

    values: torch.Tensor
    labels: torch.Tensor
    kin: torch.Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, rows: Tensor) -> "Measured":
        """Some of the images: indices int64 or a mask bool."""
        return Measured(self.values[rows], self.labels[rows], None if self.kin is None else self.kin[rows])


def related(first: Measured, second: Measured) -> Tensor:
    """Which pairs go back to one training image or to near-duplicates, so are no independent draws: bool [N, M]."""
    found = torch.zeros((len(first), len(second)), dtype=torch.bool)
    if first.kin is None or second.kin is None:
        return found
    for one in first.kin.T:
        for two in second.kin.T:
            found |= (one[:, None] == two) & (one >= 0)[:, None]
    return found


_MOST_KERNELS = 5_000
Config = TypeVar("Config", bound=MetricConfig)


class Metric(ABC, Generic[Config]):
    """Compares real with synthetic images; core computes what it needs, and owns classes, intervals and floors.

    reference: which real images `compute` is given, those that were trained on or those that were held out.
    Subclass ShareMetric or KernelMetric where they fit: core then has an interval to offer.
    """

    needs: ClassVar[Literal["pixels", "features", "probabilities", "classes"]]
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
        """Named verdicts bool [N], one for each image that is counted; [0] where nothing can be told."""

    def compute(self, real: Measured, synthetic: Measured) -> dict[str, float]:
        """The shares."""
        return {name: verdicts.double().mean().item() for name, verdicts in self.each(real, synthetic).items()}


@dataclass(frozen=True)
class Kernels:
    """A kernel's values among real images [N, N], real x synthetic [N, M], and among synthetic images [M, M]."""

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
        """The distances, of the images that `thinned` leaves."""
        real, synthetic = thinned(real), thinned(synthetic)
        kin = all_kin(real, synthetic)
        return {name: squared_mmd(found, kin) for name, found in self.kernels(real, synthetic).items()}


def thinned(side: Measured) -> Measured:
    """All images, or of more than 5,000 that many, evenly spaced: kernel matrices grow with the square."""
    if len(side) <= _MOST_KERNELS:
        return side
    return side.rows(torch.arange(_MOST_KERNELS) * (len(side) - 1) // (_MOST_KERNELS - 1))


def all_kin(real: Measured, synthetic: Measured) -> Kernels:
    """Bool in the shapes of kernels: which pairs are related; an image is to itself."""
    real_kin, synthetic_kin = (related(side, side).fill_diagonal_(True) for side in (real, synthetic))
    return Kernels(real_kin, related(real, synthetic), synthetic_kin)


def squared_mmd(kernels: Kernels, kin: Kernels | None = None) -> float:
    """Unbiased estimate of the squared maximum mean discrepancy (Gretton et al. 2012, JMLR 13, eq. 3); may be below 0.

    kin: which pairs to leave out, bool; an image with itself if left out. The estimate is one for independent images:
    with the pairs of a training image and what was made from it, copies would come out nearer than new real images do.
    Not a number where no pair is left on either side.
    """
    n, m = kernels.across.shape
    if kin is None:
        kin = Kernels(torch.eye(n).bool(), torch.zeros((n, m), dtype=torch.bool), torch.eye(m).bool())
    real, across, synthetic = (
        _mean(getattr(kernels, part), getattr(kin, part)) for part in ("real", "across", "synthetic")
    )
    return real + synthetic - 2 * across


def _mean(values: Tensor, left_out: Tensor) -> float:
    count = values.numel() - int(left_out.sum())
    return float(values.masked_fill(left_out, 0).sum()) / count if count else float("nan")
