"""Metrics that compare two distributions: FID, KID, MMD, SSIM, precision, recall, density and coverage."""

from abc import abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from genaug.config import MetricConfig
from genaug.metric import KernelMetric, Kernels, Measured, Metric
from genaug.metrics import functional
from genaug.metrics.plugin import ManifoldConfig

_MOST = 500


class FID(Metric[MetricConfig]):
    """Fréchet distance of features. It is biased: too large for small numbers of images."""

    needs = "features"
    higher_is_better = False

    def compute(self, real: Measured, synthetic: Measured) -> dict[str, float]:
        """The distance, in [0, inf)."""
        return {"fid": functional.frechet_distance(real.values, synthetic.values)}


class KID(KernelMetric[MetricConfig]):
    """Unbiased kernel distance of features with the cubic polynomial kernel, over all images at once."""

    needs = "features"

    def kernels(self, real: Measured, synthetic: Measured) -> dict[str, Kernels]:
        """The polynomial kernel."""
        return {"kid": functional.polynomial_kernels(real.values, synthetic.values)}


class MMD(KernelMetric[MetricConfig]):
    """Unbiased kernel distance of features with a Gaussian kernel; its width is the median distance."""

    needs = "features"

    def kernels(self, real: Measured, synthetic: Measured) -> dict[str, Kernels]:
        """The Gaussian kernel."""
        return {"mmd": functional.gaussian_kernels(real.values, synthetic.values)}


class SSIM(Metric[MetricConfig]):
    """Mean structural similarity over all pairs of a real and a synthetic image, as in the paper.

    Of more than 500 real or synthetic images, 500 evenly spaced ones: a pair takes at least a tenth of a millisecond.
    """

    needs = "pixels"
    higher_is_better = True

    def compute(self, real: Measured, synthetic: Measured) -> dict[str, float]:
        """The mean similarity, in [-1, 1]."""
        pixels = [images.values[_spaced(len(images))] for images in (real, synthetic)]
        return {"ssim": functional.ssim_pairs(*pixels).mean().item()}


def _spaced(count: int) -> Tensor:
    return torch.linspace(0, count - 1, min(count, _MOST)).round().long()


class _Manifold(Metric[ManifoldConfig]):
    """A metric that counts which images lie in balls around others; a ball reaches to its image's k-th neighbour."""

    needs = "features"
    higher_is_better = True
    name: ClassVar[str]

    @staticmethod
    @abstractmethod
    def formula(real: Tensor, synthetic: Tensor, k: int) -> float:
        """The value, from features [N, D] and [M, D]."""

    def compute(self, real: Measured, synthetic: Measured) -> dict[str, float]:
        """The value, in [0, 1]; density may exceed 1."""
        return {self.name: self.formula(real.values, synthetic.values, self.config.neighbours)}


class Precision(_Manifold):
    """Share of synthetic images that lie near real ones."""

    name = "precision"
    formula = staticmethod(functional.precision)


class Recall(_Manifold):
    """Share of real images that lie near synthetic ones: how much of the real variety is covered."""

    name = "recall"
    formula = staticmethod(functional.recall)


class Density(_Manifold):
    """Like precision, but outliers among the real images count little."""

    name = "density"
    formula = staticmethod(functional.density)


class Coverage(_Manifold):
    """Like recall, but outliers among the synthetic images do not count."""

    name = "coverage"
    formula = staticmethod(functional.coverage)
