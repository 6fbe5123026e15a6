"""Standard errors of metrics at tens of images, each checked by simulation (tests/core/test_intervals.py)."""

import math
from dataclasses import dataclass

import torch
from scipy.special import stdtrit
from torch import Tensor

from genaug.metric import Kernels

Z = 1.959963984540054  # the 97.5 % quantile of the normal distribution
_DEGENERATE = 0.5
_LEAST_PARENTS, _FEW_PARENTS = 30, 5
_LEAST_IMAGES = 12


@dataclass(frozen=True)
class Interval:
    """Bounds that cover the expected value in 95 % of cases."""

    low: float
    high: float


def share_interval(verdicts: Tensor, parents: Tensor) -> Interval | None:
    """Wilson's interval of a share, verdicts bool [N], with as many independent images as their parents allow.

    parents int64 [N]: images of one parent are alike. The jackknife's variance over parents (what a bootstrap over
    parents tends to) against that of independent images gives the effective number. Wilson, because a bootstrap of a
    share near 0 or 1 has no width. Where the rarer verdict comes from fewer than five parents, how alike their images
    are cannot be told, and each parent counts once. Student's t where parents have several images, with as many degrees
    of freedom as there are parents that decide the variance. None below 30 parents, or where a few of them have most of
    the images: there some covered less than 92 %.
    """
    families = parents.unique(return_inverse=True)[1]
    sizes = families.bincount().double()
    deciding = _number(sizes.square())
    if _number(sizes) * deciding < _LEAST_PARENTS**2:
        return None
    z = Z if bool((sizes == 1).all()) else float(stdtrit(deciding, 0.975))
    share = verdicts.double().mean().item()
    independent = _effective(verdicts.double() - share, families, sizes)
    rarer = verdicts if share < 0.5 else ~verdicts
    if len(families[rarer].unique()) < _FEW_PARENTS:
        independent = min(independent, _number(sizes))
    centre = (share + z**2 / (2 * independent)) / (1 + z**2 / independent)
    spread = math.sqrt(share * (1 - share) / independent + z**2 / (4 * independent**2))
    half = z * spread / (1 + z**2 / independent)
    return Interval(max(0.0, centre - half) if share else 0.0, min(1.0, centre + half) if share < 1 else 1.0)


def _number(weights: Tensor) -> float:
    """How many equal weights would say as much (Kish 1965)."""
    return float(weights.sum().square() / weights.square().sum())


def _effective(residuals: Tensor, families: Tensor, sizes: Tensor) -> float:
    """How many independent images carry as much; not more than families where all verdicts agree."""
    count = len(residuals)
    sums = torch.zeros_like(sizes).index_add_(0, families, residuals)
    clustered = float((sums / (1 - sizes / count)).square().sum()) / count**2
    return min(count, float(residuals.square().mean()) / clustered) if clustered else _number(sizes)


def mmd_standard_error(kernels: Kernels) -> float:
    """Standard error of the unbiased squared MMD from its kernel matrices; not a number below twelve images on a side.

    The jackknife over images counts the degenerate part of a U-statistic's variance twice (Efron and Stein 1981), which
    at these sizes is most of it. That part is estimated from the centred kernels; half of it is taken off, and the rest
    is never below the other half. In 60 simulated cases of 30 to 400 images in 8 and 64 dimensions, from equal to very
    different distributions, 95 % intervals covered 93.4 to 97.8 %; 91 to 99 % with all of it or none of it.
    """
    n, m = kernels.across.shape
    if min(n, m) < _LEAST_IMAGES:
        return float("nan")
    degenerate = _pairs(kernels.real) + _pairs(kernels.synthetic) + _cross(kernels.across)
    return math.sqrt(max(_jackknife(kernels) - _DEGENERATE * degenerate, _DEGENERATE * degenerate))


def _jackknife(kernels: Kernels) -> float:
    """The variance by leaving out one image at a time, on both sides."""
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
    """Variance of the degenerate part of the mean over pairs of one side, by U-centring (Székely and Rizzo 2014)."""
    n = len(kernel)
    off = kernel.clone().fill_diagonal_(0)
    rows = off.sum(dim=1) / (n - 2)
    centred = off - rows[:, None] - rows[None, :] + off.sum() / ((n - 1) * (n - 2))
    squares = centred.fill_diagonal_(0).square_().sum()
    return 2 / (n * (n - 1)) * float(squares) / (n * (n - 3))


def _cross(kernel: Tensor) -> float:
    n, m = kernel.shape
    centred = kernel - kernel.mean(dim=0, keepdim=True) - kernel.mean(dim=1, keepdim=True) + kernel.mean()
    return 4 / (n * m) * float(centred.square().sum()) / ((n - 1) * (m - 1))
