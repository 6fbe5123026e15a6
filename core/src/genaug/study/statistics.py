"""Intervals and p-values of paired differences over splits whose training sets overlap."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t

from genaug.probe.paired import holm

HELPS, UNCLEAR, HARMS = "helps", "no evidence", "harms"
_LEVEL = 0.05
_TINY = 1e-12


@dataclass(frozen=True)
class Estimate:
    """A mean over splits with its 95 % interval, None where there are fewer than two. p: two-sided, of a mean of 0."""

    mean: float
    low: float | None
    high: float | None
    p: float | None = None

    @property
    def verdict(self) -> str:
        """What a difference says when it is the only one that is looked at."""
        return verdict_of(self.mean, self.p)

    def within(self, least: float, most: float) -> "Estimate":
        """The same with an interval that ends where the values must."""
        if self.low is None or self.high is None:
            return self
        return Estimate(self.mean, max(least, self.low), min(most, self.high), self.p)

    def to_json(self) -> dict[str, float | None]:
        """Plain values."""
        return {"mean": _number(self.mean), "low": self.low, "high": self.high, "p": self.p}


def over_splits(values: Sequence[float], held_out_share: float) -> Estimate:
    """The mean of one number per split, those that are not numbers left out, by the corrected resampled t-test.

    Numbers that do not vary at all do not tell how far off they may be: they get no interval.

    The variance of the mean is (1/J + n_test/n_train) S^2, since training sets overlap (Nadeau and Bengio 2003, Machine
    Learning 52:239, section 6.2). held_out_share: n_test / (n_test + n_train), in (0, 1).
    """
    known = np.array([value for value in values if math.isfinite(value)])
    if len(known) < 2:
        return Estimate(float(known.mean()) if len(known) else math.nan, None, None)
    error = standard_error(known, held_out_share)
    mean, freedom = float(known.mean()), len(known) - 1
    if error < _TINY:
        return Estimate(mean, None, None)
    half = float(t.ppf(1 - _LEVEL / 2, freedom)) * error
    return Estimate(mean, mean - half, mean + half, float(2 * t.sf(abs(mean) / error, freedom)))


def standard_error(values: Sequence[float] | np.ndarray, held_out_share: float) -> float:
    """Of the mean of at least two numbers, one per split, after Nadeau and Bengio."""
    inflation = 1 / len(values) + held_out_share / (1 - held_out_share)
    return math.sqrt(inflation * float(np.var(values, ddof=1)))


def expected_half_width(values: Sequence[float], held_out_share: float, splits: int) -> float:
    """Half of the interval that so many splits, at least two, would give if they varied as these do."""
    known = np.array([value for value in values if math.isfinite(value)])
    inflation = 1 / splits + held_out_share / (1 - held_out_share)
    return float(t.ppf(1 - _LEVEL / 2, splits - 1)) * math.sqrt(inflation * float(np.var(known, ddof=1)))


def verdict_of(mean: float, p: float | None) -> str:
    """helps, harms or no evidence, at 5 % in all, both sides together."""
    if p is None or p >= _LEVEL:
        return UNCLEAR
    return HELPS if mean > 0 else HARMS


def verdicts(estimates: Sequence[Estimate]) -> list[str]:
    """Verdicts of several differences that are looked at together, with Holm's correction for their number."""
    known = [place for place, estimate in enumerate(estimates) if estimate.p is not None]
    adjusted = holm([estimates[place].p or 0.0 for place in known])
    found = [UNCLEAR] * len(estimates)
    for place, p in zip(known, adjusted, strict=True):
        found[place] = verdict_of(estimates[place].mean, p)
    return found


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
