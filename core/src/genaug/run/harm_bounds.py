"""Bounds of the harm check: how large the loss of accuracy can be by the chance of images and of seeds."""

import math

import numpy as np
import torch
from numpy.typing import NDArray

from genaug.chance import stream
from genaug.significance import t_quantile

_LEVEL = 0.05
_HALVES = 4999
_CHUNK = 1024

Values = NDArray[np.float64]


def bounds(differences: Values, weights: Values, seed: int) -> tuple[float, float]:
    """One-sided 95 % bounds, below and above, of the weighted mean of paired differences.

    differences, weights: float [G], one for each group of images that belong together, each summed over its images
    (the differences times their weights). Each group is taken or left by a fair coin, 4,999 times; the bounds are
    percentiles of the weighted means of what was taken. They are the differences that a sign-flip test of the paired
    values would not reject (Hartigan 1969, J Am Stat Assoc 64:1303, on typical values), so the level is exact if the
    two classifiers of a pair are equally good.
    """
    sums, totals = np.zeros(_HALVES), np.zeros(_HALVES)
    for start in range(0, len(weights), _CHUNK):
        part = slice(start, start + _CHUNK)
        source = stream(seed, "harm check", "halves", start)
        taken = torch.randint(2, (_HALVES, len(weights[part])), generator=source).numpy()
        sums += taken @ differences[part]
        totals += taken @ weights[part]
    means = np.sort(sums[totals > 0] / totals[totals > 0])
    place = int(_LEVEL * (len(means) + 1)) - 1
    return float(means[max(0, place)]), float(means[min(len(means) - 1, len(means) - 1 - place)])


def widened(mean: float, ends: tuple[float, float], by_seed: Values) -> tuple[float, float]:
    """The bounds of `bounds`, which take classifiers as given, or those from the spread of seeds where it is larger.

    by_seed: float [cells, seeds]; each cell is the part of one kind of classifier and one fold in the mean difference.
    The error is that of a sum of independent means, with a t-quantile of cells x (seeds - 1) degrees of freedom.
    """
    cells, seeds = by_seed.shape
    error = math.sqrt(float(np.var(by_seed, axis=1, ddof=1).sum()) / seeds)
    half = error * t_quantile(1 - _LEVEL, cells * (seeds - 1))
    return min(ends[0], mean - half), max(ends[1], mean + half)
