"""The rows of the table: value, interval, what real images get at the same number, and all of it by class."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from genaug.evaluation.floors import Pair, floor, over_spaces, weighted
from genaug.evaluation.views import Views
from genaug.evaluation.wishes import Wish
from genaug.metric import KernelMetric, Kernels, Measured, Metric, ShareMetric, all_kin, squared_mmd, thinned
from genaug.metrics.intervals import Interval, Z, mmd_standard_error, share_interval


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval, None where there is no honest one."""

    value: float
    interval: Interval | None = None


@dataclass(frozen=True)
class Row:
    """One metric in one kind of features.

    images: how many the value counts, synthetic ones or, for tstr, real ones of the test split. real: what real images
    get instead of synthetic ones, real_images of them; matched: what that many synthetic images get, for metrics that
    change with the number. classes: the value of each class alone; few: those of too few images to say much.
    """

    name: str
    overall: Estimate
    higher_is_better: bool
    real: float
    real_images: int
    matched: float
    images: int
    note: str
    classes: dict[str, Estimate] = field(default_factory=dict)
    few: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values; None for what could not be computed."""
        return {
            "name": self.name,
            "higher_is_better": self.higher_is_better,
            "real": _number(self.real),
            "real_images": self.real_images,
            "matched": _number(self.matched),
            "images": self.images,
            "note": self.note,
            "classes": {name: _plain(estimate) for name, estimate in self.classes.items()},
            "few": [name for name in self.few if name in self.classes],
        } | _plain(self.overall)


def compare(wish: Wish, views: Views) -> list[Row]:
    """The rows of one metric; none where there are no held-out images for one that needs them."""
    if wish.metric.reference == "held-out":
        return _against_held_out(wish, views)
    real, synthetic = (views.side(wish.metric.needs, wish.features, side) for side in ("real", "synthetic"))
    spaces = views.spaces(wish.metric, wish.features)
    families = views.families("synthetic")
    overall = _estimates(wish.metric, _pairs(real, synthetic, spaces), _parts(families, spaces))
    classes = dict(_classes(views, real, synthetic, spaces))
    by_class = {
        name: _estimates(wish.metric, _pairs(real, synthetic, inside), _parts(families, inside))
        for name, inside in classes.items()
    }
    found = floor(wish.metric, real, synthetic, spaces, views.seed)
    return [
        Row(
            name=wish.name(value, views.called(wish.metric.needs, wish.features)),
            overall=estimate,
            higher_is_better=wish.metric.higher_is_better,
            real=found.values.get(value, math.nan),
            real_images=found.images,
            matched=found.matched.get(value, math.nan),
            images=len(synthetic),
            note=_note(wish, _least(wish.metric, spaces), estimate, min(len(real), len(synthetic))),
            classes={name: mine[value] for name, mine in by_class.items() if value in mine},
            few=_few(wish, {name: _least(wish.metric, inside) for name, inside in classes.items()}),
        )
        for value, estimate in overall.items()
    ]


def _against_held_out(wish: Wish, views: Views) -> list[Row]:
    held_out = views.held_out()
    if held_out is None:
        return []
    train, synthetic = (views.side("pixels", "", side) for side in ("real", "synthetic"))
    families = torch.arange(len(held_out)) if held_out.kin is None else held_out.kin[:, 0]
    if not isinstance(wish.metric, ShareMetric):
        made = {name: Estimate(value) for name, value in wish.metric.compute(held_out, synthetic).items()}
        verdicts: dict[str, Tensor] = {}
    else:
        verdicts = wish.metric.each(held_out, synthetic)
        made = {name: _share_of_all([found], [families]) for name, found in verdicts.items()}
    real = wish.metric.compute(held_out, train)
    classes = views.sides.train.spec.classes
    return [
        Row(
            name=name,
            overall=estimate,
            higher_is_better=wish.metric.higher_is_better,
            real=real[name],
            real_images=len(train),
            matched=math.nan,
            images=len(held_out),
            note=_note(wish, min(len(held_out), len(synthetic)), estimate),
            few=_few(wish, {kind: int((held_out.labels == label).sum()) for label, kind in enumerate(classes)}),
            classes={
                kind: _share(verdicts[name][mine], families[mine])
                for label, kind in enumerate(classes)
                if len(verdicts.get(name, ())) and bool((mine := held_out.labels == label).any())
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
        return {name: _share_of_all([found[name] for found in verdicts], stems) for name in verdicts[0]}
    if isinstance(metric, KernelMetric):
        sizes = [len(synthetic) for _, synthetic in pairs]
        return _kernel_estimates(metric, pairs, [size / sum(sizes) for size in sizes])
    return {name: Estimate(value) for name, value in over_spaces(metric, pairs).items()}


def _kernel_estimates(metric: KernelMetric[Any], pairs: list[Pair], weights: list[float]) -> dict[str, Estimate]:
    pairs = [(thinned(real), thinned(synthetic)) for real, synthetic in pairs]
    found, kin = [metric.kernels(*pair) for pair in pairs], [all_kin(*pair) for pair in pairs]
    estimates = {}
    for name in found[0]:
        both = [(kernels[name], mine) for kernels, mine in zip(found, kin, strict=True)]
        value = weighted([squared_mmd(*one) for one in both], weights)
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


def _share_of_all(verdicts: list[Tensor], stems: list[Tensor]) -> Estimate:
    """Over the spaces in which anything could be told."""
    told = [(found, mine) for found, mine in zip(verdicts, stems, strict=True) if len(found)]
    if not told:
        return Estimate(math.nan)
    return _share(torch.cat([found for found, _ in told]), torch.cat([mine for _, mine in told]))


def _share(verdicts: Tensor, stems: Tensor) -> Estimate:
    return Estimate(verdicts.double().mean().item(), share_interval(verdicts, stems))


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


def _least(metric: Metric[Any], spaces: list[tuple[Tensor, Tensor]]) -> int:
    """On how few images a value stands: shares count all that are judged, all else is computed in each space alone."""
    sizes = [(int(one.sum()), int(two.sum())) for one, two in spaces if one.any() and two.any()]
    if isinstance(metric, ShareMetric):
        return min(map(sum, zip(*sizes, strict=True)), default=0)
    return min((min(pair) for pair in sizes), default=0)


def _few(wish: Wish, counts: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(name for name, count in counts.items() if 0 < count < wish.description.least_images)


def _note(wish: Wish, images: int, estimate: Estimate, whole: int = 0) -> str:
    if math.isnan(estimate.value):
        return "too few images to tell that are neither near-duplicates nor made from each other"
    least = wish.description.least_images
    if images >= least:
        return ""
    return f"below {least:,} images it says little" + (", and they are compared in thirds" if whole >= least else "")


def _plain(estimate: Estimate) -> dict[str, Any]:
    interval = estimate.interval
    return {
        "value": _number(estimate.value),
        "low": None if interval is None else _number(interval.low),
        "high": None if interval is None else _number(interval.high),
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
