"""genaug evaluate: numbers that compare synthetic with real images."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genaug.cli import console
from genaug.cli import options as given

if TYPE_CHECKING:
    from genaug.evaluation import Estimate, Row

Real = Annotated[Path, typer.Argument(help="The folder that the images were made from.")]
Synthetic = Annotated[Path, typer.Argument(help="The output of a run, or a folder of class folders of images.")]
Metrics = Annotated[
    str | None,
    typer.Option("--metrics", help="Names such as kid,fid[inception], separated by commas; all if left out."),
]
Features = Annotated[
    str, typer.Option("--features", help="auto, classifier, pixels, inception or dinov2, for names without brackets.")
]
Weights = Annotated[Path | None, typer.Option("--weights", help="File of the weights of inception or dinov2.")]
Download = Annotated[bool, typer.Option("--allow-download", help="Fetch missing weights; their hash is checked.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", metavar="METRIC:KEY=VALUE", help="Setting of a metric, as novelty:quantile=0.05."),
]
ByClass = Annotated[bool, typer.Option("--by-class", help="Add the values of each class.")]
Layer = Annotated[int, typer.Option("--layer", help="Feature layer of inception: 64, 192, 768 or 2048.")]


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
    resize: given.Resize = None,
    seed: given.Seed = None,
    by_class: ByClass = False,
    as_json: given.Json = False,
) -> int:
    """Compare synthetic with real images: each metric with its interval and what real images get. Writes nothing."""
    from genaug.evaluation import (
        Views,
        compare,
        lean_on_default,
        load_sides,
        make_extractors,
        parse_wishes,
        resolve_features,
    )
    from genaug.registry import load_registry

    wanted = None if metrics is None else given.named(metrics, "--metrics")
    registry, chosen, reason = load_registry(), features, ""
    if features != "auto" or lean_on_default(wanted, registry):
        chosen, reason = resolve_features(features, weights=weights, allow_download=allow_download)
    wishes = parse_wishes(wanted, registry, chosen, settings or ())
    extractors = make_extractors(wishes, weights=weights, allow_download=allow_download, layer=layer)
    sides = load_sides(real, synthetic, size=given.sides(size), resize=resize or "auto")
    views = Views(sides, extractors, seed=seed or 0)
    for text in (*sides.notes, *([reason] if reason else [])):
        console.note(text)
    if sides.held_out is None and any(wish.metric.reference == "held-out" for wish in wishes):
        console.note("tstr is left out: the real folder has no test split of images that are not in train as well")
    rows = [row for wish in wishes for row in compare(wish, views)]
    if as_json:
        console.answer_json([row.to_json() for row in rows])
        return 0
    _tell(rows)
    if by_class:
        _tell_classes(rows)
    return 0


def _tell(rows: "list[Row]") -> None:
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
    console.say("↑ higher is better, ↓ lower; real: what real images get in the place of synthetic ones")
    for row in rows:
        if text := _note(row):
            console.note(f"{row.name}: {text}")


def _tell_classes(rows: "list[Row]") -> None:
    lines = [
        (row.name, kind, _number(estimate.value), _interval(estimate), "few images" if kind in row.few else "")
        for row in rows
        for kind, estimate in row.classes.items()
    ]
    console.table("by class", ("metric", "class", "value", "95 % interval", ""), lines, whole=range(4))


def _interval(estimate: "Estimate") -> str:
    interval = estimate.interval
    return "" if interval is None else f"{_number(interval.low)} to {_number(interval.high)}"


def _note(row: "Row") -> str:
    matched = (
        ""
        if math.isnan(row.matched)
        else f"{_number(row.matched)} for {row.real_images} synthetic images, to compare with real"
    )
    return "; ".join(part for part in (matched, row.note) if part)


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.3g}"
