"""Computes the metrics between the synthetic and the real training images of an output, for the page."""

from collections.abc import Sequence
from pathlib import Path

from genaug.data.folder import load_folder
from genaug.errors import DataError
from genaug.evaluation import (
    DETECTABILITY_LEFT_OUT,
    EvaluationInputs,
    MetricInputs,
    compare,
    compared_files,
    detectability_rows,
    fresh_judges,
    inner,
    make_extractors,
    parent_rows,
    parse_requests,
    resolve_features,
    unseen,
    uses_default_features,
    without_detectability,
)
from genaug.evaluation.metric_inputs import CLASSIFIER
from genaug.features import CrossFit
from genaug.output.files import EVALUATION, JUDGES, PROVENANCE
from genaug.output.folder import OutputFolder
from genaug.output.run_file import require_class_folders
from genaug.registry import load_registry
from genaug.report.reading import RunContent, image_records, read_output
from genaug.storage import write_json

_WITHOUT_INCEPTION = (
    "The features are those of classifiers trained on the real images, because this machine lacks the weights of "
    "Inception. To use Inception, give its weights to genaug evaluate with --weights."
)


def measure(out: Path, metrics: Sequence[str] | None = None) -> str:
    """Write the evaluation of OUT. Returns a note about missing weights and left out images; it may be empty.

    metrics: names of metrics; all installed ones if left out. Raises DataError if OUT has no real or no synthetic
    training images in class folders.
    """
    run = read_output(out).run
    if run is None:
        raise DataError(f"{out} is the output of a study and has no images; expected the output of genaug run")
    inputs = _inputs(out, run)
    registry, features, without_inception = load_registry(), CLASSIFIER, ""
    names, detectable = without_detectability(metrics)
    if uses_default_features(names, registry):
        features, without_inception = resolve_features("auto", weights=None, allow_download=False)
    requests = parse_requests(names, registry, features)
    judges = _judges(out, inputs) if any(request.features == CLASSIFIER for request in requests) else None
    extractors = make_extractors(requests, weights=None, allow_download=False, layer=2048)
    metric_inputs = MetricInputs(inputs, extractors, seed=0, judges=judges)
    rows = [row for request in requests for row in compare(request, metric_inputs)]
    detected = detectability_rows(metric_inputs) if detectable else []
    notes = [*inputs.notes, *([DETECTABILITY_LEFT_OUT] if detectable and not detected else [])]
    note = " ".join([_WITHOUT_INCEPTION] * bool(without_inception) + [f"{text}." for text in notes])
    values = {
        "provenance": run.record.written.get(PROVENANCE, ""),
        "features": features,
        "note": note,
        "rows": [row.to_json() for row in (*rows, *detected)],
    }
    write_json(out / EVALUATION, values)
    return note


def _inputs(out: Path, run: RunContent) -> EvaluationInputs:
    """The training images that the provenance lists, at the size of the run's models."""
    require_class_folders(out)
    images = [image for image in image_records(out) if image.split == "train"]
    real = {inner(image.file_name) for image in images if not image.synthetic}
    drawn = [image for image in images if image.synthetic and not image.tops_up]
    parents = {inner(image.file_name): [inner(name) for name in image.parents] for image in drawn}
    if not (real and parents):
        raise DataError(f"{out} has {len(real)} real and {len(parents)} synthetic training images; expected both")
    loaded = load_folder(out, size=run.record.size, resize=run.record.resize)
    if missing := real - set(loaded.splits["train"].names):
        raise DataError(
            f"{out} lacks {len(missing)} of its real images, such as {min(missing)}; genaug verify {out} lists them"
        )
    known, synthetic = loaded.only_training_on(real), loaded.splits["train"].take(parents)
    held_out, notes = unseen(loaded.splits.get("test"), known.splits["train"])
    return EvaluationInputs.of(
        known.train,
        synthetic.images,
        synthetic.labels,
        parents=parent_rows(known.train, [parents[name] for name in synthetic.names]),
        held_out=held_out,
        notes=notes,
        files=compared_files(known, synthetic, out),
    )


def _judges(out: Path, inputs: EvaluationInputs) -> CrossFit:
    """The classifiers of `genaug evaluate`, stored in OUT if the run keeps its own classifiers there."""
    own = OutputFolder(out).own
    return fresh_judges(inputs, 0, own / JUDGES if own.is_dir() else None)
