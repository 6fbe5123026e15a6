"""A few images of each class, as results show them in a notebook: uint8 [H, W, C] each."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genaug.data.decode import UnreadableError, decode
from genaug.data.split import TrainSplit
from genaug.errors import GenaugError
from genaug.evaluation import EvaluationInputs
from genaug.output.provenance import read_unchecked
from genaug.report.notebook import STRIP

Pixels = NDArray[np.uint8]


def of_train(train: TrainSplit) -> dict[str, list[Pixels]]:
    """A few images of each class."""
    return {name: list(train.images[train.labels == label][:STRIP]) for label, name in enumerate(train.spec.classes)}


def of_inputs(inputs: EvaluationInputs) -> dict[str, dict[str, list[Pixels]]]:
    """A few real and synthetic images of each class of a comparison."""
    labels, real = inputs.labels.numpy(), of_train(inputs.train)
    return {
        name: {"real": real[name], "synthetic": list(inputs.synthetic[labels == label][:STRIP])}
        for label, name in enumerate(inputs.train.spec.classes)
    }


def of_output(out: Path) -> dict[str, dict[str, list[Pixels]]]:
    """A few training images of each class of an output, as its records name them; none from shards."""
    found: dict[str, dict[str, list[Pixels]]] = {}
    for line in read_unchecked(out):
        if "shard" in line or line["split"] != "train":
            continue
        kinds = found.setdefault(line["label"], {"real": [], "synthetic": []})
        pictures = kinds["synthetic" if line["synthetic"] else "real"]
        if len(pictures) < STRIP and (pixels := _decoded(out / line["file_name"])) is not None:
            pictures.append(pixels)
    return found


def _decoded(path: Path) -> Pixels | None:
    try:
        return decode(path).pixels
    except (UnreadableError, GenaugError, OSError):
        return None
