"""The rows of the table of metrics: value, interval, baseline, and the values of each class."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from genaug.evaluation.baselines import Pair, Space, baseline, computed, over_spaces, weighted
from genaug.evaluation.metric_inputs import MetricInputs
from genaug.evaluation.requests import MetricRequest
from genaug.metric import KernelMetric, Kernels, Measured, Metric, ShareMetric, related_pairs, squared_mmd, thinned
from genaug.metrics.intervals import Interval, Z, mmd_standard_error, share_interval


@dataclass(frozen=True)
class MetricEstimate:
    """A value with its 95 % interval; None if no interval is known to cover."""

    value: float
    interval: Interval | None = None


@dataclass(frozen=True)
class Row:
    """The results of one metric in one kind of features.

    images: number of images that the value counts: synthetic ones, or for tstr real ones of the test split.
    real: the baseline, which is the value with real images in place of synthetic ones; real_images: their number.
    matched: for metrics whose value depends on the number of images, the value of `real_images` synthetic images.
    note: a warning about the value; may be empty.
    classes: the value of each class alone. few: the classes with too few images for a reliable value.
    """

    name: str
    overall: MetricEstimate
    higher_is_better: bool
    real: float
    real_images: int
    matched: float
    images: int
    note: str
    classes: dict[str, MetricEstimate] = field(default_factory=dict)
    few: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON; None for values that could not be computed."""
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


def compare(request: MetricRequest, metric_inputs: MetricInputs) -> list[Row]:
    """The rows of one metric; no row if the metric needs held-out images and there are none."""
    if request.metric.reference == "held-out":
        return _against_held_out(request, metric_inputs)
    metric = request.metric
    real, synthetic = (metric_inputs.values(metric.needs, request.features, images) for images in ("real", "synthetic"))
    spaces = metric_inputs.spaces(metric, request.features)
    groups = metric_inputs.duplicate_groups("synthetic")
    overall = _estimates(metric, _pairs(real, synthetic, spaces), _of_spaces(groups, spaces))
    classes = dict(_classes(metric_inputs, real, synthetic, spaces))
    by_class = {
        name: _estimates(metric, _pairs(real, synthetic, inside), _of_spaces(groups, inside))
        for name, inside in classes.items()
    }
    with_real = baseline(metric, real, synthetic, spaces, metric_inputs.seed)
    return [
        Row(
            name=request.name(value, metric_inputs.feature_name(metric.needs, request.features)),
            overall=estimate,
            higher_is_better=metric.higher_is_better,
            real=with_real.values.get(value, math.nan),
            real_images=with_real.images,
            matched=with_real.matched.get(value, math.nan),
            images=len(synthetic),
            note=_note(request, _least(metric, spaces), estimate, min(len(real), len(synthetic))),
            classes={name: estimates[value] for name, estimates in by_class.items() if value in estimates},
            few=_few(request, {name: _least(metric, inside) for name, inside in classes.items()}),
        )
        for value, estimate in overall.items()
    ]


def _against_held_out(request: MetricRequest, metric_inputs: MetricInputs) -> list[Row]:
    """The rows of a metric whose real images are the test split; its baseline is the value of the training images."""
    held_out = metric_inputs.held_out()
    if held_out is None:
        return []
    metric = request.metric
    train, synthetic = (metric_inputs.values("pixels", "", images) for images in ("real", "synthetic"))
    groups = torch.arange(len(held_out)) if held_out.duplicate_groups is None else held_out.duplicate_groups[:, 0]
    if not isinstance(metric, ShareMetric):
        overall = {name: MetricEstimate(value) for name, value in computed(metric, held_out, synthetic).items()}
        verdicts: dict[str, Tensor] = {}
    else:
        verdicts = metric.each(held_out, synthetic)
        overall = {name: _share_of_all([each], [groups]) for name, each in verdicts.items()}
    real = computed(metric, held_out, train)
    classes = metric_inputs.inputs.train.spec.classes
    return [
        Row(
            name=name,
            overall=estimate,
            higher_is_better=metric.higher_is_better,
            real=real[name],
            real_images=len(train),
            matched=math.nan,
            images=len(held_out),
            note=_note(request, min(len(held_out), len(synthetic)), estimate),
            few=_few(request, {kind: int((held_out.labels == label).sum()) for label, kind in enumerate(classes)}),
            classes={
                kind: _share(verdicts[name][of_class], groups[of_class])
                for label, kind in enumerate(classes)
                if len(verdicts.get(name, ())) and bool((of_class := held_out.labels == label).any())
            },
        )
        for name, estimate in overall.items()
    ]


def _estimates(metric: Metric[Any], pairs: list[Pair], groups: list[Tensor]) -> dict[str, MetricEstimate]:
    """Values over all spaces: a share is that of all images; other values are means weighted by numbers of images."""
    if not pairs:
        return {}
    if isinstance(metric, ShareMetric):
        verdicts = [metric.each(*pair) for pair in pairs]
        return {name: _share_of_all([each[name] for each in verdicts], groups) for name in verdicts[0]}
    if isinstance(metric, KernelMetric):
        sizes = [len(synthetic) for _, synthetic in pairs]
        return _kernel_estimates(metric, pairs, [size / sum(sizes) for size in sizes])
    return {name: MetricEstimate(value) for name, value in over_spaces(metric, pairs).items()}


def _kernel_estimates(metric: KernelMetric[Any], pairs: list[Pair], weights: list[float]) -> dict[str, MetricEstimate]:
    pairs = [(thinned(real), thinned(synthetic)) for real, synthetic in pairs]
    kernels, left_out = [metric.kernels(*pair) for pair in pairs], [related_pairs(*pair) for pair in pairs]
    estimates = {}
    for name in kernels[0]:
        of_spaces = [(each[name], related) for each, related in zip(kernels, left_out, strict=True)]
        value = weighted([squared_mmd(*space) for space in of_spaces], weights)
        errors = [_kernel_error(*space) for space in of_spaces]
        error = math.sqrt(sum((weight * one) ** 2 for weight, one in zip(weights, errors, strict=True)))
        half = Z * error
        estimates[name] = MetricEstimate(value, Interval(value - half, value + half) if math.isfinite(half) else None)
    return estimates


def _kernel_error(kernels: Kernels, related: Kernels) -> float:
    """The standard error, from one real image of each group of near-duplicates so that images are independent.

    Returns nan if synthetic images are related to real ones or to each other: no interval is known to cover there.
    """
    others = ~torch.eye(len(related.synthetic), dtype=torch.bool)
    if related.across.any() or (related.synthetic & others).any():
        return math.nan
    first = ~related.real.tril(-1).any(dim=1)
    return mmd_standard_error(Kernels(kernels.real[first][:, first], kernels.across[first], kernels.synthetic))


def _share_of_all(verdicts: list[Tensor], groups: list[Tensor]) -> MetricEstimate:
    """The share over all spaces that have verdicts; nan if none has."""
    known = [(each, own) for each, own in zip(verdicts, groups, strict=True) if len(each)]
    if not known:
        return MetricEstimate(math.nan)
    return _share(torch.cat([each for each, _ in known]), torch.cat([own for _, own in known]))


def _share(verdicts: Tensor, groups: Tensor) -> MetricEstimate:
    return MetricEstimate(verdicts.double().mean().item(), share_interval(verdicts, groups))


def _classes(
    metric_inputs: MetricInputs, real: Measured, synthetic: Measured, spaces: list[Space]
) -> Iterator[tuple[str, list[Space]]]:
    """The spaces restricted to one class, for each class that has real and synthetic images."""
    for label, name in enumerate(metric_inputs.inputs.train.spec.classes):
        one, two = real.labels == label, synthetic.labels == label
        if one.any() and two.any():
            yield name, [(first & one, second & two) for first, second in spaces]


def _pairs(real: Measured, synthetic: Measured, spaces: list[Space]) -> list[Pair]:
    """The images of each space that has real and synthetic ones."""
    return [(real.rows(one), synthetic.rows(two)) for one, two in spaces if one.any() and two.any()]


def _of_spaces(values: Tensor, spaces: list[Space]) -> list[Tensor]:
    """A value of each synthetic image, space by space, in the order of `_pairs`."""
    return [values[two] for one, two in spaces if one.any() and two.any()]


def _least(metric: Metric[Any], spaces: list[Space]) -> int:
    """The smallest number of images behind a value: shares use all spaces together, other metrics each space alone."""
    sizes = [(int(one.sum()), int(two.sum())) for one, two in spaces if one.any() and two.any()]
    if isinstance(metric, ShareMetric):
        return min(map(sum, zip(*sizes, strict=True)), default=0)
    return min((min(pair) for pair in sizes), default=0)


def _few(request: MetricRequest, counts: Mapping[str, int]) -> tuple[str, ...]:
    """The classes that have images, but fewer than the metric needs."""
    return tuple(name for name, count in counts.items() if 0 < count < request.description.least_images)


def _note(request: MetricRequest, images: int, estimate: MetricEstimate, together: int = 0) -> str:
    """The warning of a row. together: number of images if the spaces could be joined."""
    if math.isnan(estimate.value):
        return "no value: too few images that are neither near-duplicates nor generated from each other"
    least = request.description.least_images
    if images >= least:
        return ""
    separate = "; the images of each cross-validation fold are compared separately" if together >= least else ""
    return f"unreliable below {least:,} images{separate}"


def _plain(estimate: MetricEstimate) -> dict[str, Any]:
    interval = estimate.interval
    return {
        "value": _number(estimate.value),
        "low": None if interval is None else _number(interval.low),
        "high": None if interval is None else _number(interval.high),
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
