"""genaug evaluate: compares synthetic with real images and prints the metrics."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genaug.cli import console
from genaug.cli import options as given

if TYPE_CHECKING:
    from genaug.evaluation import MetricEstimate, MetricInputs, Row

Real = Annotated[Path, typer.Argument(help="Folder of real images from which the synthetic ones were generated.")]
Synthetic = Annotated[Path, typer.Argument(help="Output of a run, or a folder of class folders of synthetic images.")]
Metrics = Annotated[
    str | None,
    typer.Option(
        "--metrics", help="Metrics to compute, separated by commas, such as kid,fid[inception]; all if left out."
    ),
]
Features = Annotated[
    str,
    typer.Option(
        "--features",
        help="Features of metrics without brackets: auto (inception if its weights are found, else classifier), "
        "classifier, pixels, inception or dinov2.",
    ),
]
Weights = Annotated[Path | None, typer.Option("--weights", help="File with the weights of inception or dinov2.")]
Download = Annotated[bool, typer.Option("--allow-download", help="Download missing weights; their hash is checked.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", metavar="METRIC:KEY=VALUE", help="Setting of a metric, such as novelty:quantile=0.05."),
]
ByClass = Annotated[bool, typer.Option("--by-class", help="Show the values of each class too.")]
Layer = Annotated[int, typer.Option("--layer", help="Feature layer of inception: 64, 192, 768 or 2048.")]

_WITHOUT_TEST = "tstr is left out: it needs a test split in the real folder with images that are not training images"


def evaluate(
    real: Real,
    synthetic: Synthetic,
    metrics: Metrics = None,
    features: Features = "auto",
    weights: Weights = None,
    allow_download: Download = False,
    layer: Layer = 2048,
    settings: Settings = None,
    size: given.Size = None,
    train_size: given.TrainSize = None,
    resize: given.Resize = None,
    seed: given.Seed = None,
    by_class: ByClass = False,
    as_json: given.Json = False,
) -> int:
    """Score synthetic images; each score comes with an interval and the score that real images get. Writes nothing."""
    from genaug.evaluation import (
        MetricInputs,
        compare,
        load_inputs,
        make_extractors,
        parse_requests,
        resolve_features,
        uses_default_features,
        without_detectability,
    )
    from genaug.registry import load_registry

    names, detectable = without_detectability(None if metrics is None else given.named(metrics, "--metrics"))
    registry, chosen, reason = load_registry(), features, ""
    if features != "auto" or uses_default_features(names, registry):
        chosen, reason = resolve_features(features, weights=weights, allow_download=allow_download)
    requests = parse_requests(names, registry, chosen, settings or ())
    extractors = make_extractors(requests, weights=weights, allow_download=allow_download, layer=layer)
    inputs = load_inputs(real, synthetic, size=given.parse_size(size), resize=resize or "auto", train_side=train_size)
    metric_inputs = MetricInputs(inputs, extractors, seed=seed or 0)
    for text in (*inputs.notes, *([reason] if reason else [])):
        console.note(text)
    if inputs.held_out is None and any(request.metric.reference == "held-out" for request in requests):
        console.note(_WITHOUT_TEST)
    rows = [row for request in requests for row in compare(request, metric_inputs)]
    _answer(rows + (_detectability(metric_inputs) if detectable else []), as_json=as_json, by_class=by_class)
    return 0


def _detectability(metric_inputs: "MetricInputs") -> "list[Row]":
    """The rows of detectability; none, and a note that says why, where no class has enough images."""
    from genaug.evaluation import DETECTABILITY_LEFT_OUT, detectability_rows

    if not (rows := detectability_rows(metric_inputs)):
        console.note(DETECTABILITY_LEFT_OUT)
    return rows


def _answer(rows: "list[Row]", *, as_json: bool, by_class: bool) -> None:
    if as_json:
        console.answer_json([row.to_json() for row in rows])
        return
    _show(rows)
    if by_class:
        _show_classes(rows)


def _show(rows: "list[Row]") -> None:
    lines = [
        (
            f"{row.name} {'↑' if row.higher_is_better else '↓'}",
            _number(row.overall.value),
            _interval(row.overall),
            _number(row.real),
            row.images,
        )
        for row in rows
    ]
    console.table("", ("metric", "value", "95 % interval", "real", "images"), lines, whole=range(5))
    console.say("↑ higher is better, ↓ lower is better; real: the value of real images in place of synthetic ones")
    for row in rows:
        if text := _note(row):
            console.note(f"{row.name}: {text}")


def _show_classes(rows: "list[Row]") -> None:
    lines = [
        (row.name, kind, _number(estimate.value), _interval(estimate), "few images" if kind in row.few else "")
        for row in rows
        for kind, estimate in row.classes.items()
    ]
    console.table("by class", ("metric", "class", "value", "95 % interval", ""), lines, whole=range(4))


def _interval(estimate: "MetricEstimate") -> str:
    interval = estimate.interval
    return "" if interval is None else f"{_number(interval.low)} to {_number(interval.high)}"


def _note(row: "Row") -> str:
    matched = (
        ""
        if math.isnan(row.matched)
        else f"{_number(row.matched)} for {row.real_images} synthetic images, to compare with the value of real images"
    )
    return "; ".join(part for part in (matched, row.note) if part)


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.3g}"
