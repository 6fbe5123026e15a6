"""Opens the output of a finished run for live training."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from genaug.data.folder import LabelledImages, load_scan
from genaug.data.scan import scan
from genaug.errors import DataError
from genaug.mixing.apply import overall_score
from genaug.mixing.live import MixedDataset, Recipe
from genaug.output.files import PROVENANCE, RUN
from genaug.output.provenance import ProvenanceLine, drawn_beside_real, read_unchecked
from genaug.output.run_file import read_run, require_class_folders


def open_mixed(out: str | Path, recipe: Recipe | None = None, *, size: tuple[int, int] | None = None) -> MixedDataset:
    """The training images of a run, at the size (height, width) of its models unless another size is given.

    Without a recipe, all of them with the weights of their provenance lines; a recipe decides anew which synthetic
    images are used and what they weigh. Raises DataError for a folder that is no finished run, or that holds training
    images which the run did not write; UsageError for soft labels, which a folder does not hold.
    """
    folder = Path(out)
    run, lines = read_run(folder), _lines(folder)
    if run is None or not lines:
        raise DataError(f"{out} is no finished output of genaug run; expected {RUN} and {PROVENANCE} in it")
    require_class_folders(folder)
    found = scan(folder)
    train = replace(found, splits={"train": found.splits["train"]})
    loaded = load_scan(train, size=size or tuple(run["size"]), policy=run["resize"])
    images = loaded.splits["train"]
    return _mixed(images, _matched(images.names, lines), loaded.spec.classes, recipe)


def _mixed(
    images: LabelledImages, lines: Sequence[ProvenanceLine], classes: Sequence[str], recipe: Recipe | None
) -> MixedDataset:
    synthetic = np.array([drawn_beside_real(line) for line in lines])
    mixed = MixedDataset.of(
        images.images[~synthetic],
        images.labels[~synthetic],
        images.images[synthetic],
        images.labels[synthetic],
        classes,
        "concatenate" if recipe is None else recipe,
        scores=_scores([line for line in lines if drawn_beside_real(line)]),
    )
    if recipe is not None:
        return mixed
    weights = torch.tensor([float(line["weight"]) for line in lines])
    return replace(mixed, weights=torch.cat([weights[~synthetic], weights[synthetic]]))


def _lines(folder: Path) -> dict[str, ProvenanceLine]:
    """{<class>/<file>: its line} of the training split."""
    lines = read_unchecked(folder)
    return {line["file_name"].partition("/")[2]: line for line in lines if line["split"] == "train"}


def _matched(names: Sequence[str], lines: Mapping[str, ProvenanceLine]) -> list[ProvenanceLine]:
    """The line of each file; lines of files that were removed from the folder are ignored."""
    for name in names:
        if name not in lines:
            raise DataError(f"train/{name} has no line in {PROVENANCE}; expected only files that the run wrote")
    return [lines[name] for name in names]


def _scores(lines: Sequence[ProvenanceLine]) -> list[float] | None:
    """One score of each synthetic image; None where no selector gave any."""
    return [overall_score(line["scores"]) for line in lines] if any(line["scores"] for line in lines) else None
