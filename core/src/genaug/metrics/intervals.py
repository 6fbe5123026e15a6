"""Intervals of metrics for tens of images, each checked by simulation (tests/core/test_intervals.py)."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from genaug.metric import Kernels
from genaug.significance import t_quantile

Z = 1.959963984540054  # the 97.5 % quantile of the normal distribution
_DEGENERATE = 0.5  # the part of the degenerate variance that is subtracted, and the part that always remains
_LEAST_PARENTS, _FEW_PARENTS = 30, 5
_LEAST_IMAGES = 12


@dataclass(frozen=True)
class Interval:
    """A 95 % interval: its bounds cover the expected value in 95 % of cases."""

    low: float
    high: float


def share_interval(verdicts: Tensor, parents: Tensor) -> Interval | None:
    """Wilson's interval of the share of true verdicts, for images that are not independent if they share a parent.

    verdicts: bool [N]. parents: int64 [N], the parent of each image, or its group of near-duplicates.
    Wilson's formula is used because a bootstrap of a share near 0 or 1 has no width. Its number of images is the
    effective number of independent ones, from the variance of independent images over the jackknife variance over
    parents (the limit of a bootstrap over parents). If the rarer verdict comes from fewer than five parents, the
    similarity of images of one parent cannot be estimated, and each parent counts as one image. If parents have several
    images, Student's t replaces the normal quantile, with the effective number of parents that determine the variance
    as degrees of freedom.
    Returns None below 30 parents, or if a few parents have most of the images: there some intervals covered less than
    92 %.
    """
    groups = parents.unique(return_inverse=True)[1]
    sizes = groups.bincount().double()
    deciding = _effective_number(sizes.square())
    if _effective_number(sizes) * deciding < _LEAST_PARENTS**2:
        return None
    z = Z if bool((sizes == 1).all()) else t_quantile(0.975, deciding)
    share = verdicts.double().mean().item()
    independent = _independent_images(verdicts.double() - share, groups, sizes)
    rarer = verdicts if share < 0.5 else ~verdicts
    if len(groups[rarer].unique()) < _FEW_PARENTS:
        independent = min(independent, _effective_number(sizes))
    return wilson_interval(share, independent, z)


def wilson_interval(share: float, independent: float, z: float = Z) -> Interval:
    """Wilson's interval of a share among a number of independent verdicts, which need not be whole."""
    centre = (share + z**2 / (2 * independent)) / (1 + z**2 / independent)
    spread = math.sqrt(share * (1 - share) / independent + z**2 / (4 * independent**2))
    half = z * spread / (1 + z**2 / independent)
    return Interval(max(0.0, centre - half) if share else 0.0, min(1.0, centre + half) if share < 1 else 1.0)


def _effective_number(weights: Tensor) -> float:
    """The number of equal weights that would give the same variance (Kish 1965)."""
    return float(weights.sum().square() / weights.square().sum())


def _independent_images(residuals: Tensor, groups: Tensor, sizes: Tensor) -> float:
    """The number of independent images with the same variance; if all verdicts agree, that of the groups."""
    count = len(residuals)
    sums = torch.zeros_like(sizes).index_add_(0, groups, residuals)
    clustered = float((sums / (1 - sizes / count)).square().sum()) / count**2
    return min(count, float(residuals.square().mean()) / clustered) if clustered else _effective_number(sizes)


def mmd_standard_error(kernels: Kernels) -> float:
    """Standard error of the unbiased squared MMD of independent images, from its kernel matrices.

    The jackknife over images counts the degenerate part of a U-statistic's variance twice (Efron and Stein 1981), and
    for tens of images that part is most of the variance. It is estimated from the centred kernels; half of it is
    subtracted, and the result is never below the other half. In 60 simulated cases (30 to 400 images, 8 and 64
    dimensions, from equal to very different distributions) 95 % intervals covered 93.4 to 97.8 %. With all of the part
    subtracted, or none, they covered 91 to 99 %.
    Returns nan below twelve real or twelve synthetic images.
    """
    n, m = kernels.across.shape
    if min(n, m) < _LEAST_IMAGES:
        return float("nan")
    degenerate = _pairs(kernels.real) + _pairs(kernels.synthetic) + _cross(kernels.across)
    return math.sqrt(max(_jackknife(kernels) - _DEGENERATE * degenerate, _DEGENERATE * degenerate))


def _jackknife(kernels: Kernels) -> float:
    """The variance by leaving out one real or one synthetic image at a time."""
    n, m = kernels.across.shape
    total = 0.0
    across = kernels.across.sum()
    for kernel, sums, count, other in (
        (kernels.real, kernels.across.sum(dim=1), n, m),
        (kernels.synthetic, kernels.across.sum(dim=0), m, n),
    ):
        rows = kernel.sum(dim=1) - kernel.diagonal()
        left = (rows.sum() - 2 * rows) / ((count - 1) * (count - 2)) - 2 * (across - sums) / ((count - 1) * other)
        total += (count - 1) * float(left.var(unbiased=False))
    return total


def _pairs(kernel: Tensor) -> float:
    """Variance of the degenerate part of the mean over pairs of one set, by U-centring (Székely and Rizzo 2014)."""
    n = len(kernel)
    off = kernel.clone().fill_diagonal_(0)
    rows = off.sum(dim=1) / (n - 2)
    centred = off - rows[:, None] - rows[None, :] + off.sum() / ((n - 1) * (n - 2))
    squares = centred.fill_diagonal_(0).square_().sum()
    return 2 / (n * (n - 1)) * float(squares) / (n * (n - 3))


def _cross(kernel: Tensor) -> float:
    """Variance of the degenerate part of the mean over pairs of a real and a synthetic image."""
    n, m = kernel.shape
    centred = kernel - kernel.mean(dim=0, keepdim=True) - kernel.mean(dim=1, keepdim=True) + kernel.mean()
    return 4 / (n * m) * float(centred.square().sum()) / ((n - 1) * (m - 1))
