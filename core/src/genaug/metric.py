"""The contract of a metric: a class that compares real with synthetic images and returns named numbers."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Generic, Literal, TypeVar

import torch
from torch import Tensor

from genaug.config import MetricConfig

__all__ = ["KernelMetric", "Kernels", "Measured", "Metric", "ShareMetric", "related"]


@dataclass(frozen=True)
class Measured:
    """The real or the synthetic images of a comparison, as the metric needs them.

    values: one row for each image. By the metric's `needs` they are "pixels": float32 [N, C, H, W] in [-1, 1];
        "features": float32 [N, D]; "probabilities": float32 [N, K] over the classes that the chosen network knows;
        "classes": float32 [N, K] over the K classes of the data set.
    labels: int64 [N], the class of each image.
    duplicate_groups: int64 [N, k], numbers of groups of near-duplicate training images, padded with -1. A training
        image has its own group; a synthetic image has the groups of the training images from which it is known to be
        generated. None if nothing is known.
    """

    values: torch.Tensor
    labels: torch.Tensor
    duplicate_groups: torch.Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, rows: Tensor) -> "Measured":
        """The images at these indices (int64) or where this mask (bool) is true."""
        groups = None if self.duplicate_groups is None else self.duplicate_groups[rows]
        return Measured(self.values[rows], self.labels[rows], groups)


def related(first: Measured, second: Measured) -> Tensor:
    """Which pairs share a group of near-duplicates and so are not independent: bool [N, M]."""
    pairs = torch.zeros((len(first), len(second)), dtype=torch.bool)
    if first.duplicate_groups is None or second.duplicate_groups is None:
        return pairs
    for one in first.duplicate_groups.T:
        for two in second.duplicate_groups.T:
            pairs |= (one[:, None] == two) & (one >= 0)[:, None]
    return pairs


_MOST_KERNELS = 5_000
Config = TypeVar("Config", bound=MetricConfig)


class Metric(ABC, Generic[Config]):
    """A metric. genaug prepares the values that it needs and adds classes, intervals and baselines to its numbers.

    needs: the kind of `Measured.values` that `compute` receives.
    reference: the real images that `compute` receives: "train" for the training images, "held-out" for the test split.
    higher_is_better: the direction in which the metric improves.
    Subclass ShareMetric or KernelMetric where possible: for these genaug knows an interval.
    """

    needs: ClassVar[Literal["pixels", "features", "probabilities", "classes"]]
    reference: ClassVar[Literal["train", "held-out"]] = "train"
    higher_is_better: ClassVar[bool]

    def __init__(self, config: Config) -> None:
        self.config = config

    @abstractmethod
    def compute(self, real: Measured, synthetic: Measured) -> dict[str, float]:
        """Return named values. A pure function: the same input gives the same output."""


class ShareMetric(Metric[Config]):
    """A metric that is a share of images: of the synthetic ones, or of the real ones if `reference` is "held-out"."""

    @abstractmethod
    def each(self, real: Measured, synthetic: Measured) -> dict[str, Tensor]:
        """Return named verdicts bool [N], one for each counted image; bool [0] if the images are too few to judge.

        A verdict on a synthetic image depends on that image and on the real ones, not on other synthetic images: the
        interval rests on this.
        """

    def compute(self, real: Measured, synthetic: Measured) -> dict[str, float]:
        """The share of true verdicts, in [0, 1]."""
        return {name: verdicts.double().mean().item() for name, verdicts in self.each(real, synthetic).items()}


@dataclass(frozen=True)
class Kernels:
    """A kernel's values for all pairs: of real images [N, N], real x synthetic [N, M], of synthetic images [M, M]."""

    real: Tensor
    across: Tensor
    synthetic: Tensor


class KernelMetric(Metric[Config]):
    """An unbiased estimate of a squared kernel distance (MMD)."""

    higher_is_better = False

    @abstractmethod
    def kernels(self, real: Measured, synthetic: Measured) -> Mapping[str, Kernels]:
        """Return named kernel matrices, float64."""

    def compute(self, real: Measured, synthetic: Measured) -> dict[str, float]:
        """The distances between the images that `thinned` keeps, without the pairs that are related."""
        real, synthetic = thinned(real), thinned(synthetic)
        pairs = related_pairs(real, synthetic)
        return {name: squared_mmd(kernels, pairs) for name, kernels in self.kernels(real, synthetic).items()}


def thinned(images: Measured) -> Measured:
    """All images, or 5,000 evenly spaced ones if there are more: the size of kernel matrices grows with the square."""
    if len(images) <= _MOST_KERNELS:
        return images
    return images.rows(torch.arange(_MOST_KERNELS) * (len(images) - 1) // (_MOST_KERNELS - 1))


def related_pairs(real: Measured, synthetic: Measured) -> Kernels:
    """Which pairs are related, bool in the shapes of the kernel matrices; each image is related to itself."""
    of_real, of_synthetic = (related(images, images).fill_diagonal_(True) for images in (real, synthetic))
    return Kernels(of_real, related(real, synthetic), of_synthetic)


def squared_mmd(kernels: Kernels, left_out: Kernels | None = None) -> float:
    """Unbiased estimate of the squared maximum mean discrepancy (Gretton et al. 2012, JMLR 13, eq. 3); may be below 0.

    left_out: bool, the pairs that do not count; by default each image with itself. Pass `related_pairs`: the estimate
        assumes independent images, and pairs of a training image and its copies would make the distance too small.
    Returns nan if no real, no synthetic or no mixed pair is left.
    """
    n, m = kernels.across.shape
    if left_out is None:
        left_out = Kernels(torch.eye(n).bool(), torch.zeros((n, m), dtype=torch.bool), torch.eye(m).bool())
    real, across, synthetic = (
        _mean(getattr(kernels, part), getattr(left_out, part)) for part in ("real", "across", "synthetic")
    )
    return real + synthetic - 2 * across


def _mean(values: Tensor, left_out: Tensor) -> float:
    count = values.numel() - int(left_out.sum())
    return float(values.masked_fill(left_out, 0).sum()) / count if count else float("nan")
