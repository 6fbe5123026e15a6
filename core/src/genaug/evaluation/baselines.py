"""Baselines: the values of a metric if real images take the place of synthetic ones."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from genaug.chance import stream
from genaug.executors import plugin_code
from genaug.metric import KernelMetric, Measured, Metric, ShareMetric

Pair = tuple[Measured, Measured]
Space = tuple[Tensor, Tensor]
"""Masks of the real and of the synthetic images whose values can be compared with each other."""

_REPEATS = 5
_PARTS = 10


@dataclass(frozen=True)
class Baseline:
    """The baseline of one metric.

    values: the value with real images in place of synthetic ones, by name.
    images: number of real images that took the place of synthetic ones at a time.
    matched: for metrics whose value depends on the number of images, the value of that many synthetic images, by name.
    """

    values: dict[str, float]
    images: int
    matched: dict[str, float]


def baseline(metric: Metric[Any], real: Measured, synthetic: Measured, spaces: Sequence[Space], seed: int) -> Baseline:
    """Compare real with real images; near-duplicates stay in one part.

    Shares of features or pixels: each tenth of the real images against the rest, so that a judged image faces nearly as
    many real images as a synthetic one does. Shares of class probabilities: all real images, since no classifier judges
    an image on which it was trained. All other metrics: one half against the other, averaged over five random splits;
    a biased metric gets at most as many images as there are synthetic ones.
    """
    if isinstance(metric, ShareMetric):
        if metric.needs in ("probabilities", "classes"):
            return Baseline(computed(metric, real, real), len(real), {})
        return _in_parts(metric, real, spaces, seed)
    biased = not isinstance(metric, KernelMetric)
    values: list[dict[str, float]] = []
    matched: list[dict[str, float]] = []
    size = 0
    for repeat in range(_REPEATS):
        second = deal(real, 2, seed, repeat) == 1
        halves = [
            _Halves.of(mask & ~second, mask & second, synthetic_mask, seed, repeat, biased=biased)
            for mask, synthetic_mask in spaces
        ]
        complete = [rows for rows in halves if len(rows.first) and len(rows.second) and len(rows.synthetic)]
        values.append(over_spaces(metric, [(real.rows(rows.first), real.rows(rows.second)) for rows in complete]))
        if biased:
            pairs = [(real.rows(rows.first), synthetic.rows(rows.synthetic)) for rows in complete]
            matched.append(over_spaces(metric, pairs))
        size = max(size, sum(len(rows.second) for rows in complete))
    return Baseline(_averaged(values), size, _averaged(matched))


@dataclass(frozen=True)
class _Halves:
    """Row numbers within one space: two halves of the real images, and the synthetic images."""

    first: Tensor
    second: Tensor
    synthetic: Tensor

    @classmethod
    def of(cls, first: Tensor, second: Tensor, synthetic: Tensor, seed: int, repeat: int, *, biased: bool) -> "_Halves":
        """From masks, in random order; for a biased metric, equally many of the second half and of the synthetic."""
        parts = [mask.nonzero().flatten() for mask in (first, second, synthetic)]
        most = min(len(parts[1]), len(parts[2])) if biased else None
        streams = (stream(seed, purpose, repeat) for purpose in ("second", "matched"))
        return cls(
            parts[0],
            *(
                rows[torch.randperm(len(rows), generator=generator)[:most]]
                for rows, generator in zip(parts[1:], streams, strict=True)
            ),
        )


def _in_parts(metric: ShareMetric[Any], real: Measured, spaces: Sequence[Space], seed: int) -> Baseline:
    """Each tenth of the real images against the rest, in each space that has synthetic images."""
    parts = deal(real, _PARTS, seed, 0)
    pairs = [
        (real.rows(mask & (parts != part)), real.rows(mask & (parts == part)))
        for mask, synthetic_mask in spaces
        for part in range(_PARTS)
        if synthetic_mask.any()
    ]
    complete = [(known, judged) for known, judged in pairs if len(known) and len(judged)]
    return Baseline(over_spaces(metric, complete), sum(len(judged) for _, judged in complete), {})


def deal(real: Measured, parts: int, seed: int, repeat: int) -> Tensor:
    """Deal real images into random parts: the number of the part of each image, int64 [N].

    The parts have similar shares of each class; near-duplicates are in one part, whatever their classes.
    """
    groups = torch.arange(len(real)) if real.duplicate_groups is None else real.duplicate_groups[:, 0]
    numbers = torch.full((len(real),), -1)
    turn = 0
    for label in real.labels.unique().tolist():
        undealt = groups[(real.labels == label) & (numbers < 0)].unique()
        order = torch.randperm(len(undealt), generator=stream(seed, "halves", repeat, label))
        for place in order.tolist():
            numbers[groups == undealt[place]] = turn % parts
            turn += 1
    return numbers


def computed(metric: Metric[Any], real: Measured, judged: Measured) -> dict[str, float]:
    """The values of a metric as numbers; raises PluginError where it fails or returns something else."""
    with plugin_code(f"the metric {type(metric).__name__}"):
        return {str(name): float(value) for name, value in metric.compute(real, judged).items()}


def over_spaces(metric: Metric[Any], pairs: Sequence[Pair]) -> dict[str, float]:
    """The metric's mean values over pairs (real images, judged images), weighted by the number of judged images."""
    results = [computed(metric, *pair) for pair in pairs]
    sizes = [len(judged) for _, judged in pairs]
    return {
        name: weighted((values.get(name, math.nan) for values in results), sizes)
        for name in (results[0] if results else {})
    }


def weighted(values: Iterable[float], weights: Iterable[float]) -> float:
    """Weighted mean of the values that are finite; nan if none is."""
    known = [(value, weight) for value, weight in zip(values, weights, strict=True) if math.isfinite(value)]
    total = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / total if total else math.nan


def _averaged(repeats: Sequence[dict[str, float]]) -> dict[str, float]:
    """Mean values over the repeats that have any."""
    complete = [values for values in repeats if values]
    equal = [1.0] * len(complete)
    return {
        name: weighted((values.get(name, math.nan) for values in complete), equal)
        for name in (complete[0] if complete else {})
    }
