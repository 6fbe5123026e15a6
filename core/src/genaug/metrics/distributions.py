"""Two-sample metrics on features or pixels: FID, KID, MMD, SSIM, and the four of k-nearest-neighbour manifolds."""

from abc import abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from genaug.builtin import ManifoldConfig
from genaug.config import MetricConfig
from genaug.metric import KernelMetric, Kernels, Measured, Metric
from genaug.metrics import functional

_MOST = 500


class FID(Metric[MetricConfig]):
    """Fréchet distance of features; biased upwards at small numbers of images."""

    needs = "features"
    higher_is_better = False

    def compute(self, real: Measured, synthetic: Measured) -> dict[str, float]:
        """In [0, inf)."""
        return {"fid": functional.frechet_distance(real.values, synthetic.values)}


class KID(KernelMetric[MetricConfig]):
    """Kernel distance of features with the cubic polynomial kernel; unbiased, over all images at once."""

    needs = "features"

    def kernels(self, real: Measured, synthetic: Measured) -> dict[str, Kernels]:
        """The polynomial kernel."""
        return {"kid": functional.polynomial_kernels(real.values, synthetic.values)}


class MMD(KernelMetric[MetricConfig]):
    """Kernel distance of features with a Gaussian kernel as wide as the median distance; unbiased."""

    needs = "features"

    def kernels(self, real: Measured, synthetic: Measured) -> dict[str, Kernels]:
        """The Gaussian kernel."""
        return {"mmd": functional.gaussian_kernels(real.values, synthetic.values)}


class SSIM(Metric[MetricConfig]):
    """Mean structural similarity over all pairs real x synthetic, as in the report.

    Of more than 500 images on a side, 500 evenly spaced ones: a pair takes a tenth of a millisecond and more.
    """

    needs = "pixels"
    higher_is_better = True

    def compute(self, real: Measured, synthetic: Measured) -> dict[str, float]:
        """In [-1, 1]."""
        sides = [side.values[_spaced(len(side))] for side in (real, synthetic)]
        return {"ssim": functional.ssim_pairs(*sides).mean().item()}


def _spaced(count: int) -> Tensor:
    return torch.linspace(0, count - 1, min(count, _MOST)).round().long()


class _Manifold(Metric[ManifoldConfig]):
    """One of the four numbers about balls around images that reach to their k-th neighbour."""

    needs = "features"
    higher_is_better = True
    name: ClassVar[str]

    @staticmethod
    @abstractmethod
    def formula(real: Tensor, synthetic: Tensor, k: int) -> float:
        """The number, from features [N, D] and [M, D]."""

    def compute(self, real: Measured, synthetic: Measured) -> dict[str, float]:
        """In [0, 1]; density may exceed 1."""
        return {self.name: self.formula(real.values, synthetic.values, self.config.neighbours)}


class Precision(_Manifold):
    """How many synthetic images look like real ones."""

    name = "precision"
    formula = staticmethod(functional.precision)


class Recall(_Manifold):
    """How much of the real variety the synthetic images span."""

    name = "recall"
    formula = staticmethod(functional.recall)


class Density(_Manifold):
    """As precision, but outliers among the real images count little."""

    name = "density"
    formula = staticmethod(functional.density)


class Coverage(_Manifold):
    """As recall, but outliers among the synthetic images count nothing."""

    name = "coverage"
    formula = staticmethod(functional.coverage)
