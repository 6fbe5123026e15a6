"""The rows of the table: value, interval, what real images get at the same number, and all of it by class."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

import torch
from torch import Tensor

from genaug.chance import stream
from genaug.evaluation.views import Views
from genaug.evaluation.wishes import Wish
from genaug.metric import KernelMetric, Kernels, Measured, Metric, ShareMetric, all_kin, squared_mmd
from genaug.metrics.intervals import Interval, Z, mmd_standard_error, share_interval

_SPLITS = 5
Pair = tuple[Measured, Measured]


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval, None where there is no honest one."""

    value: float
    interval: Interval | None = None


@dataclass(frozen=True)
class Row:
    """One metric in one kind of features.

    real: what real images get instead of synthetic ones; matched: what synthetic images get at the same number of
    images, `images` on a side, for metrics that change with it. classes: the value of each class alone.
    """

    name: str
    overall: Estimate
    higher_is_better: bool
    real: float
    matched: float
    images: int
    note: str
    classes: dict[str, Estimate] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain values; None for what could not be computed."""
        return {
            "name": self.name,
            "higher_is_better": self.higher_is_better,
            "real": _number(self.real),
            "matched": _number(self.matched),
            "images": self.images,
            "note": self.note,
            "classes": {name: _plain(estimate) for name, estimate in self.classes.items()},
        } | _plain(self.overall)


def compare(wish: Wish, views: Views) -> list[Row]:
    """The rows of one metric; none where there are no held-out images for one that needs them."""
    if wish.metric.reference == "held-out":
        return _against_held_out(wish, views)
    real, synthetic = (views.side(wish.metric.needs, wish.features, side) for side in ("real", "synthetic"))
    spaces = views.spaces(wish.metric, wish.features)
    stems = views.sides.stems
    overall = _estimates(wish.metric, _pairs(real, synthetic, spaces), _parts(stems, spaces))
    by_class = {
        name: _estimates(wish.metric, _pairs(real, synthetic, inside), _parts(stems, inside))
        for name, inside in _classes(views, real, synthetic, spaces)
    }
    floors, matched, images = _real_against_real(wish.metric, views, real, synthetic, spaces)
    return [
        Row(
            name=wish.name(value, views.called(wish.features)),
            overall=estimate,
            higher_is_better=wish.metric.higher_is_better,
            real=floors.get(value, math.nan),
            matched=matched.get(value, math.nan),
            images=images,
            note=_note(wish, len(real), len(synthetic)),
            classes={name: found[value] for name, found in by_class.items() if value in found},
        )
        for value, estimate in overall.items()
    ]


def _against_held_out(wish: Wish, views: Views) -> list[Row]:
    held_out = views.held_out()
    if held_out is None:
        return []
    train, synthetic = (views.side("pixels", "", side) for side in ("real", "synthetic"))
    if not isinstance(wish.metric, ShareMetric):
        made = {name: Estimate(value) for name, value in wish.metric.compute(held_out, synthetic).items()}
        verdicts: dict[str, Tensor] = {}
    else:
        verdicts = wish.metric.each(held_out, synthetic)
        made = {name: _share(found, torch.arange(len(found))) for name, found in verdicts.items()}
    real = wish.metric.compute(held_out, train)
    classes = views.sides.train.spec.classes
    return [
        Row(
            name=name,
            overall=estimate,
            higher_is_better=wish.metric.higher_is_better,
            real=real[name],
            matched=math.nan,
            images=len(held_out),
            note=_note(wish, len(held_out), len(synthetic)),
            classes={
                kind: _share(verdicts[name][mine], torch.arange(int(mine.sum())))
                for label, kind in enumerate(classes)
                if name in verdicts and bool((mine := held_out.labels == label).any())
            },
        )
        for name, estimate in made.items()
    ]


def _estimates(metric: Metric[Any], pairs: list[Pair], stems: list[Tensor]) -> dict[str, Estimate]:
    """Values over all spaces: shares of all images, means of the spaces for all else, weighted by their images."""
    if not pairs:
        return {}
    if isinstance(metric, ShareMetric):
        verdicts = [metric.each(*pair) for pair in pairs]
        together = torch.cat(stems)
        return {name: _share(torch.cat([found[name] for found in verdicts]), together) for name in verdicts[0]}
    sizes = [len(synthetic) for _, synthetic in pairs]
    weights = [size / sum(sizes) for size in sizes]
    if isinstance(metric, KernelMetric):
        return _kernel_estimates(metric, pairs, weights)
    values = [metric.compute(*pair) for pair in pairs]
    return {name: Estimate(_mean([value[name] for value in values], weights)) for name in values[0]}


def _kernel_estimates(metric: KernelMetric[Any], pairs: list[Pair], weights: list[float]) -> dict[str, Estimate]:
    found, kin = [metric.kernels(*pair) for pair in pairs], [all_kin(*pair) for pair in pairs]
    estimates = {}
    for name in found[0]:
        both = [(kernels[name], mine) for kernels, mine in zip(found, kin, strict=True)]
        value = _mean([squared_mmd(*one) for one in both], weights)
        errors = [_kernel_error(*one) for one in both]
        error = math.sqrt(sum((weight * one) ** 2 for weight, one in zip(weights, errors, strict=True)))
        half = Z * error
        estimates[name] = Estimate(value, Interval(value - half, value + half) if math.isfinite(half) else None)
    return estimates


def _kernel_error(kernels: Kernels, kin: Kernels) -> float:
    """The standard error of independent images: of one from each group of near-duplicates.

    Not a number with synthetic images that are related, to real ones or to each other: no interval is known to cover.
    """
    others = ~torch.eye(len(kin.synthetic), dtype=torch.bool)
    if kin.across.any() or (kin.synthetic & others).any():
        return math.nan
    first = ~kin.real.tril(-1).any(dim=1)
    return mmd_standard_error(Kernels(kernels.real[first][:, first], kernels.across[first], kernels.synthetic))


def _share(verdicts: Tensor, stems: Tensor) -> Estimate:
    if not len(verdicts):
        return Estimate(math.nan)
    return Estimate(verdicts.double().mean().item(), share_interval(verdicts, stems))


def _real_against_real(
    metric: Metric[Any], views: Views, real: Measured, synthetic: Measured, spaces: list[tuple[Tensor, Tensor]]
) -> tuple[dict[str, float], dict[str, float], int]:
    """What one half of the real images gets against the other, and synthetic images of the same number; their number.

    Near-duplicates stay in one half. For class probabilities, real images are judged whole: their classifiers did not
    see them.
    """
    if metric.needs == "probabilities" and isinstance(metric, ShareMetric):
        return metric.compute(real, real), {}, len(real)
    floors: list[dict[str, float]] = []
    matched: list[dict[str, float]] = []
    size = 0
    for repeat in range(_SPLITS):
        first, second = _halves(real.labels, views.groups, views.seed, repeat)
        inside = [(mask & first, mask & second, made) for mask, made in spaces]
        whole = [(one, two, made) for one, two, made in inside if one.any() and two.any() and made.any()]
        floors.append(_values(metric, [(real.rows(one), real.rows(two)) for one, two, _ in whole]))
        if not isinstance(metric, ShareMetric | KernelMetric):
            fewer = [(one, _some(made, int(two.sum()), views.seed, repeat)) for one, two, made in whole]
            matched.append(_values(metric, [(real.rows(one), synthetic.rows(some)) for one, some in fewer]))
        size = int(second.sum())
    return _averaged(floors), _averaged(matched), size


def _values(metric: Metric[Any], pairs: list[Pair]) -> dict[str, float]:
    """Plain values over spaces."""
    if not pairs:
        return {}
    sizes = [len(second) for _, second in pairs]
    found = [metric.compute(*pair) for pair in pairs]
    weights = [size / sum(sizes) for size in sizes]
    return {name: _mean([values[name] for values in found], weights) for name in found[0]}


def _halves(labels: Tensor, groups: Tensor, seed: int, repeat: int) -> tuple[Tensor, Tensor]:
    """Masks of two halves, alike in classes, that keep groups together."""
    first, dealt = (torch.zeros(len(labels), dtype=torch.bool) for _ in range(2))
    turn = 0
    for label in labels.unique().tolist():
        mine = groups[(labels == label) & ~dealt].unique()
        order = torch.randperm(len(mine), generator=stream(seed, "halves", repeat, label))
        for place in order.tolist():
            members = groups == mine[place]
            first[members], dealt[members] = turn % 2 == 0, True
            turn += 1
    return first, ~first


def _some(mask: Tensor, count: int, seed: int, repeat: int) -> Tensor:
    """Indices of at most `count` of the masked images, at random."""
    rows = mask.nonzero().flatten()
    return rows[torch.randperm(len(rows), generator=stream(seed, "matched", repeat))[:count]]


def _classes(
    views: Views, real: Measured, synthetic: Measured, spaces: list[tuple[Tensor, Tensor]]
) -> Iterator[tuple[str, list[tuple[Tensor, Tensor]]]]:
    """Spaces cut down to one class, for each class with images on both sides."""
    for label, name in enumerate(views.sides.train.spec.classes):
        one, two = real.labels == label, synthetic.labels == label
        if one.any() and two.any():
            yield name, [(first & one, second & two) for first, second in spaces]


def _pairs(real: Measured, synthetic: Measured, spaces: list[tuple[Tensor, Tensor]]) -> list[Pair]:
    return [(real.rows(one), synthetic.rows(two)) for one, two in spaces if one.any() and two.any()]


def _parts(values: Tensor, spaces: list[tuple[Tensor, Tensor]]) -> list[Tensor]:
    return [values[two] for one, two in spaces if one.any() and two.any()]


def _mean(values: list[float], weights: list[float]) -> float:
    """Weighted mean of what could be computed."""
    known = [(value, weight) for value, weight in zip(values, weights, strict=True) if math.isfinite(value)]
    total = sum(weight for _, weight in known)
    return sum(value * weight for value, weight in known) / total if total else math.nan


def _averaged(found: list[dict[str, float]]) -> dict[str, float]:
    """Means over the repeats that had images on both sides."""
    whole = [values for values in found if values]
    return {name: fmean(values[name] for values in whole) for name in whole[0]} if whole else {}


def _note(wish: Wish, real: int, synthetic: int) -> str:
    least = wish.description.least_images
    return f"below {least:,} images it says little" if min(real, synthetic) < least else ""


def _plain(estimate: Estimate) -> dict[str, Any]:
    interval = estimate.interval
    return {
        "value": _number(estimate.value),
        "low": None if interval is None else _number(interval.low),
        "high": None if interval is None else _number(interval.high),
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
