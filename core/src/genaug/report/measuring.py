"""Measures the synthetic against the real training images of an output, for the page."""

from collections.abc import Sequence
from pathlib import Path

from genaug.data.folder import load_folder
from genaug.errors import DataError
from genaug.evaluation import (
    Sides,
    Views,
    compare,
    fresh_judges,
    inner,
    lean_on_default,
    make_extractors,
    parent_rows,
    parse_wishes,
    resolve_features,
    unseen,
)
from genaug.evaluation.views import CLASSIFIER
from genaug.features import CrossFit
from genaug.mixing.output import PROVENANCE, OutputFolder, require_folder
from genaug.registry import load_registry
from genaug.report.reading import EVALUATION, Made, read_output
from genaug.storage import write_json

_WITHOUT = (
    "Images are compared by classifiers that were trained on the real ones, since the weights of Inception are not on "
    "this machine; genaug evaluate takes them with --weights."
)


def measure(out: Path, metrics: Sequence[str] | None = None) -> str:
    """Write OUT/evaluation.json, of all metrics unless some are named; a sentence where a network is missing.

    Raises DataError where OUT lacks real or synthetic training images in class folders.
    """
    made = read_output(out).made
    if made is None:
        raise DataError(f"{out} holds a study and no images; expected the output of genaug run")
    sides = _sides(out, made)
    registry, chosen, without = load_registry(), CLASSIFIER, ""
    if lean_on_default(metrics, registry):
        chosen, without = resolve_features("auto", weights=None, allow_download=False)
    wishes = parse_wishes(metrics, registry, chosen)
    judges = _judges(out, sides) if any(wish.features == CLASSIFIER for wish in wishes) else None
    extractors = make_extractors(wishes, weights=None, allow_download=False, layer=2048)
    views = Views(sides, extractors, seed=0, judges=judges)
    rows = [row.to_json() for wish in wishes for row in compare(wish, views)]
    seen = made.run.written.get(PROVENANCE, "")
    note = " ".join([_WITHOUT] * bool(without) + [f"{text}." for text in sides.notes])
    write_json(out / EVALUATION, {"provenance": seen, "features": chosen, "note": note, "rows": rows})
    return note


def _sides(out: Path, made: Made) -> Sides:
    """The training images of OUT by their records, at the size of the run's models."""
    require_folder(out)
    lines = [line for line in made.lines if line.split == "train"]
    real = {inner(line.file_name) for line in lines if not line.synthetic}
    parents = {inner(line.file_name): [inner(name) for name in line.parents] for line in lines if line.synthetic}
    if not (real and parents):
        raise DataError(f"{out} has {len(real)} real and {len(parents)} synthetic training images; expected both")
    loaded = load_folder(out, size=made.run.size, resize=made.run.resize)
    if gone := real - set(loaded.splits["train"].names):
        raise DataError(f"{min(gone)} and {len(gone) - 1} more real images are gone; see genaug verify {out}")
    train, images = loaded.only_training_on(real).train, loaded.splits["train"].take(parents)
    rows = parent_rows(train, [parents[name] for name in images.names])
    held_out, notes = unseen(loaded.splits.get("test"), loaded.splits["train"].take(real))
    return Sides.of(train, images.images, images.labels, parents=rows, held_out=held_out, notes=notes)


def _judges(out: Path, sides: Sides) -> CrossFit:
    """Those of `genaug evaluate`, kept where a run keeps its own."""
    own = OutputFolder(out).own
    return fresh_judges(sides, 0, own / "judges" if own.is_dir() else None)
