"""What real images get in the place of synthetic ones, at a number of images that can be compared."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from genaug.chance import stream
from genaug.metric import KernelMetric, Measured, Metric, ShareMetric

Pair = tuple[Measured, Measured]
Space = tuple[Tensor, Tensor]  # masks of real and of synthetic images whose values can be compared
_REPEATS = 5
_PARTS = 10


@dataclass(frozen=True)
class Floor:
    """values: what real images get, by name. images: how many of them took the place of synthetic ones at a time.

    matched: what that many synthetic images get, for metrics that change with the number.
    """

    values: dict[str, float]
    images: int
    matched: dict[str, float]


def floor(metric: Metric[Any], real: Measured, synthetic: Measured, spaces: Sequence[Space], seed: int) -> Floor:
    """Real against real. Near-duplicates stay together.

    Shares: each tenth of the real images against the rest, so that nearly as many are known as where synthetic ones are
    judged; by class probabilities all of them, since their classifiers did not see them. Everything else: one half
    against the other, five times, and no more than there are synthetic images in a biased metric.
    """
    if isinstance(metric, ShareMetric):
        if metric.needs in ("probabilities", "classes"):
            return Floor(metric.compute(real, real), len(real), {})
        return _in_parts(metric, real, spaces, seed)
    biased = not isinstance(metric, KernelMetric)
    found: list[dict[str, float]] = []
    matched: list[dict[str, float]] = []
    size = 0
    for repeat in range(_REPEATS):
        second = deal(real, 2, seed, repeat) == 1
        cuts = [_Cut.of(mask & ~second, mask & second, made, seed, repeat, biased=biased) for mask, made in spaces]
        whole = [cut for cut in cuts if len(cut.first) and len(cut.second) and len(cut.made)]
        found.append(over_spaces(metric, [(real.rows(cut.first), real.rows(cut.second)) for cut in whole]))
        if biased:
            matched.append(over_spaces(metric, [(real.rows(cut.first), synthetic.rows(cut.made)) for cut in whole]))
        size = max(size, sum(len(cut.second) for cut in whole))
    return Floor(_averaged(found), size, _averaged(matched))


@dataclass(frozen=True)
class _Cut:
    """Rows of one space: two parts of the real images, and synthetic ones."""

    first: Tensor
    second: Tensor
    made: Tensor

    @classmethod
    def of(cls, first: Tensor, second: Tensor, made: Tensor, seed: int, repeat: int, *, biased: bool) -> "_Cut":
        """Where the metric is biased, as many of the second part as synthetic ones."""
        parts = [mask.nonzero().flatten() for mask in (first, second, made)]
        most = min(len(parts[1]), len(parts[2])) if biased else None
        chances = (stream(seed, purpose, repeat) for purpose in ("second", "matched"))
        return cls(
            parts[0],
            *(
                rows[torch.randperm(len(rows), generator=one)[:most]]
                for rows, one in zip(parts[1:], chances, strict=True)
            ),
        )


def _in_parts(metric: ShareMetric[Any], real: Measured, spaces: Sequence[Space], seed: int) -> Floor:
    dealt = deal(real, _PARTS, seed, 0)
    pairs = [
        (real.rows(mask & (dealt != part)), real.rows(mask & (dealt == part)))
        for mask, made in spaces
        for part in range(_PARTS)
        if made.any()
    ]
    whole = [(known, judged) for known, judged in pairs if len(known) and len(judged)]
    return Floor(over_spaces(metric, whole), sum(len(judged) for _, judged in whole), {})


def deal(real: Measured, parts: int, seed: int, repeat: int) -> Tensor:
    """The part int64 [N] of each real image: alike in classes, and near-duplicates in one, whatever their classes."""
    groups = torch.arange(len(real)) if real.kin is None else real.kin[:, 0]
    found = torch.full((len(real),), -1)
    turn = 0
    for label in real.labels.unique().tolist():
        mine = groups[(real.labels == label) & (found < 0)].unique()
        order = torch.randperm(len(mine), generator=stream(seed, "halves", repeat, label))
        for place in order.tolist():
            found[groups == mine[place]] = turn % parts
            turn += 1
    return found


def over_spaces(metric: Metric[Any], pairs: Sequence[Pair]) -> dict[str, float]:
    """Values over pairs of real and judged images, weighted by how many are judged."""
    found = [metric.compute(*pair) for pair in pairs]
    sizes = [len(judged) for _, judged in pairs]
    return {name: weighted((values[name] for values in found), sizes) for name in (found[0] if found else {})}


def weighted(values: Iterable[float], weights: Iterable[float]) -> float:
    """Weighted mean of what could be computed."""
    known = [(value, weight) for value, weight in zip(values, weights, strict=True) if math.isfinite(value)]
    total = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / total if total else math.nan


def _averaged(found: Sequence[dict[str, float]]) -> dict[str, float]:
    """Means over the repeats in which there was a value."""
    whole = [values for values in found if values]
    equal = [1.0] * len(whole)
    return {name: weighted((values[name] for values in whole), equal) for name in (whole[0] if whole else {})}
