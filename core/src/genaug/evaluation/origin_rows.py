"""The rows `detectability` and `detectability[blur]` of the table of metrics, from files at the train size."""

from collections.abc import Sequence

import numpy as np

from genaug.data.decode import decode
from genaug.evaluation.compare import MetricEstimate, Row
from genaug.evaluation.detectability import OriginViews, detect, sample
from genaug.evaluation.metric_inputs import MetricInputs
from genaug.metrics.areas import Area
from genaug.mixing.resolution import scaled

DETECTABILITY = "detectability"
DETECTABILITY_LEFT_OUT = f"{DETECTABILITY} is left out: no class has five real and five synthetic images"


def without_detectability(names: Sequence[str] | None) -> tuple[list[str] | None, bool]:
    """The names of the other metrics, and whether detectability is requested. None stands for all metrics."""
    if names is None:
        return None, True
    return [name for name in names if name != DETECTABILITY], DETECTABILITY in names


def detectability_rows(metric_inputs: MetricInputs) -> list[Row]:
    """How well a classifier, and blur alone, tell synthetic from real images within classes: one row for each.

    No row if the inputs have no files, or no class has five real and five synthetic images. At most 100 images of each
    class and kind are read again, since metrics see images at the model size alone.
    """
    inputs, files = metric_inputs.inputs, metric_inputs.inputs.files
    if files is None:
        return []
    labels = np.concatenate([inputs.train.labels, inputs.labels.numpy()])
    synthetic = np.arange(len(labels)) >= len(inputs.train)
    groups = np.concatenate([metric_inputs.duplicate_groups(images).numpy() for images in ("real", "synthetic")])
    rows = sample(labels, synthetic.astype(np.int64), metric_inputs.seed)
    paths = (*files.real, *files.synthetic)
    size = scaled(inputs.train.spec, files.train_side)
    views = OriginViews.of((decode(paths[row]).pixels for row in rows.tolist()), size, files.resize)
    found = detect(views, labels[rows], synthetic[rows], groups[rows], seed=metric_inputs.seed)
    if found is None:
        return []
    counts = int(synthetic[rows].sum()), int((~synthetic[rows]).sum())
    classes = inputs.train.spec.classes
    return [
        _row("", "a classifier", found.classifier.area, *counts, classes, files.train_side),
        _row("[blur]", "blur alone", found.blur.area, *counts, classes, files.train_side),
    ]


def _row(suffix: str, detector: str, area: Area, synthetic: int, real: int, classes: Sequence[str], side: int) -> Row:
    """The row of one detector. Its baseline is chance: nothing tells real images from real images."""
    return Row(
        name=f"{DETECTABILITY}{suffix}",
        overall=MetricEstimate(area.value, area.interval),
        higher_is_better=False,
        real=0.5,
        real_images=real,
        matched=float("nan"),
        images=synthetic,
        note=f"how well {detector} tells synthetic from real images of one class: area under the curve at {side} "
        "pixels; 0.5 is chance",
        classes={classes[label]: MetricEstimate(value) for label, value in area.classes.items()},
    )
