"""Intervals and p-values of paired differences over splits whose training sets overlap."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genaug.significance import holm, t_quantile, t_tail

HELPS, UNCLEAR, HARMS = "helps", "no evidence", "harms"
_LEVEL = 0.05
_TINY = 1e-12


@dataclass(frozen=True)
class Estimate:
    """A mean over splits. low, high: its 95 % interval. p: two-sided, of the hypothesis that the mean is 0.

    The interval and p are None where fewer than two splits have a value, or all values are equal.
    """

    mean: float
    low: float | None
    high: float | None
    p: float | None = None

    @property
    def verdict(self) -> str:
        """The verdict of a difference that is tested alone."""
        return verdict_of(self.mean, self.p)

    def within(self, least: float, most: float) -> "Estimate":
        """The same estimate with its interval cut off at the least and the greatest possible value."""
        if self.low is None or self.high is None:
            return self
        return Estimate(self.mean, max(least, self.low), min(most, self.high), self.p)

    def to_json(self) -> dict[str, float | None]:
        """Plain values; None for a mean that is NaN."""
        return {"mean": _number(self.mean), "low": self.low, "high": self.high, "p": self.p}


def over_splits(values: Sequence[float], held_out_share: float) -> Estimate:
    """The mean of one value per split by the corrected resampled t-test; NaN values are left out.

    The variance of the mean is (1/J + n_test/n_train) S^2, since training sets overlap (Nadeau and Bengio 2003, Machine
    Learning 52:239, section 6.2). held_out_share: n_test / (n_test + n_train), in (0, 1). Values that are all equal do
    not show how uncertain their mean is, so they have no interval.
    """
    known = np.array([value for value in values if math.isfinite(value)])
    if len(known) < 2:
        return Estimate(float(known.mean()) if len(known) else math.nan, None, None)
    error = standard_error(known, held_out_share)
    mean, freedom = float(known.mean()), len(known) - 1
    if error < _TINY:
        return Estimate(mean, None, None)
    half_width = t_quantile(1 - _LEVEL / 2, freedom) * error
    return Estimate(mean, mean - half_width, mean + half_width, 2 * t_tail(abs(mean) / error, freedom))


def standard_error(values: Sequence[float] | np.ndarray, held_out_share: float) -> float:
    """The standard error of the mean of at least two values, one per split, after Nadeau and Bengio."""
    inflation = 1 / len(values) + held_out_share / (1 - held_out_share)
    return math.sqrt(inflation * float(np.var(values, ddof=1)))


def verdict_of(mean: float, p: float | None) -> str:
    """helps, harms or no evidence, by a two-sided test at the 5 % level."""
    if p is None or p >= _LEVEL:
        return UNCLEAR
    return HELPS if mean > 0 else HARMS


def verdicts(estimates: Sequence[Estimate]) -> list[str]:
    """The verdicts of several differences that are tested together, with Holm's correction for their number."""
    known = [index for index, estimate in enumerate(estimates) if estimate.p is not None]
    adjusted = holm([estimates[index].p or 0.0 for index in known])
    found = [UNCLEAR] * len(estimates)
    for index, p in zip(known, adjusted, strict=True):
        found[index] = verdict_of(estimates[index].mean, p)
    return found


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
