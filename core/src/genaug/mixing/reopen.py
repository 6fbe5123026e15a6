"""Opens the output of a finished run for training live."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from genaug.data.folder import LabelledImages, load_scan
from genaug.data.scan import scan
from genaug.errors import DataError
from genaug.mixing.fold import overall_score
from genaug.mixing.live import MixedDataset, Recipe
from genaug.mixing.output import PROVENANCE, require_folder
from genaug.storage import read_json, read_json_lines

Line = Mapping[str, Any]


def open_mixed(out: str | Path, recipe: Recipe | None = None, *, size: tuple[int, int] | None = None) -> MixedDataset:
    """The training images of a run, at the size (height, width) of its models unless another is given.

    Without a recipe all of them with the weights that the folder gives them; a recipe decides anew what is kept and
    what it weighs. Raises DataError for a folder that is no finished run, or whose training images it did not write,
    UsageError for soft labels, which a folder does not hold.
    """
    folder = Path(out)
    run, lines = read_json(folder / "run.json"), _lines(folder)
    if run is None or not lines:
        raise DataError(f"{out} is no finished output of genaug run; expected run.json and {PROVENANCE} in it")
    require_folder(folder)
    found = scan(folder)
    train = replace(found, splits={"train": found.splits["train"]})
    loaded = load_scan(train, size=size or tuple(run["size"]), policy=run["resize"])
    images = loaded.splits["train"]
    return _mixed(images, _matched(images.names, lines), loaded.spec.classes, recipe)


def _mixed(
    images: LabelledImages, lines: Sequence[Line], classes: Sequence[str], recipe: Recipe | None
) -> MixedDataset:
    made = np.array([line["synthetic"] for line in lines])
    mixed = MixedDataset.of(
        images.images[~made],
        images.labels[~made],
        images.images[made],
        images.labels[made],
        classes,
        "concatenate" if recipe is None else recipe,
        scores=_scores([line for line in lines if line["synthetic"]]),
    )
    if recipe is not None:
        return mixed
    weights = torch.tensor([float(line["weight"]) for line in lines])
    return replace(mixed, weights=torch.cat([weights[~made], weights[made]]))


def _lines(folder: Path) -> dict[str, Line]:
    """{<class>/<file>: its line} of the training split."""
    lines = read_json_lines(folder / PROVENANCE)
    return {line["file_name"].partition("/")[2]: line for line in lines if line["split"] == "train"}


def _matched(names: Sequence[str], lines: Mapping[str, Line]) -> list[Line]:
    """The line of each file; files that were taken out of the folder are not missed."""
    for name in names:
        if name not in lines:
            raise DataError(f"train/{name} has no line in {PROVENANCE}; expected only files that the run wrote")
    return [lines[name] for name in names]


def _scores(lines: Sequence[Line]) -> list[float] | None:
    """One score of each synthetic image, None where no selector gave any."""
    return [overall_score(line["scores"]) for line in lines] if any(line["scores"] for line in lines) else None
