"""What is compared: training images, held-out images, and synthetic ones with their parents."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genaug.data.duplicates import NEAR, nearest
from genaug.data.folder import LabelledImages, LoadedFolder, load_folder
from genaug.data.split import TrainSplit
from genaug.data.stems import Stems
from genaug.errors import DataError, UsageError
from genaug.mixing.lines import Line, read_lines
from genaug.mixing.output import PROVENANCE, require_folder

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Sides:
    """Everything at the model size.

    held_out: the test split, None where the real folder has none. synthetic: uint8 [M, H, W, C]. parents int64 [M, k]:
    the training rows that each synthetic image is known to be made from, -1 for none. stems int64 [M]: the one of them
    that it looks most like, or the nearest training row where none is known. notes: how files were read, and which were
    left out.
    """

    train: TrainSplit
    held_out: LabelledImages | None
    synthetic: Pixels
    labels: Tensor
    parents: Tensor
    stems: Tensor
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        train: TrainSplit,
        synthetic: Pixels,
        labels: NDArray[np.int64],
        *,
        parents: NDArray[np.int64] | None = None,
        held_out: LabelledImages | None = None,
        notes: Sequence[str] = (),
    ) -> "Sides":
        """Sides from arrays; parents int64 [M, k], none known if left out."""
        known = np.full((len(labels), 1), -1, dtype=np.int64) if parents is None else parents
        stems = Stems(train).find(synthetic, known)[0] if len(labels) else known[:, 0]
        own, rows, alike = (torch.from_numpy(array) for array in (labels, known, stems))
        return cls(train, held_out, synthetic, own, rows, alike, tuple(notes))


def load_sides(real: Path, synthetic: Path, *, size: tuple[int, int] | None = None, resize: str = "auto") -> Sides:
    """REAL as `genaug run` reads it; of SYNTHETIC the images that its provenance calls synthetic, or all of them.

    Test images that are near-duplicates of training images are left out. Raises DataError when SYNTHETIC holds no
    synthetic image or no class folders, UsageError when it has a class that REAL lacks.
    """
    synthetic = _whole(synthetic)
    require_folder(synthetic)
    known = load_folder(real, size=size, resize=resize)
    made = load_folder(synthetic, size=(known.spec.height, known.spec.width), resize=known.resize)
    images, parents = made.splits["train"], _recorded(synthetic)
    chosen = np.array([parents is None or name in parents for name in images.names])
    if not chosen.any():
        raise DataError(f"{synthetic} holds no synthetic image; expected the output of a run or a folder of samples")
    found = parent_rows(known.train, [(parents or {}).get(name, []) for name in images.names])
    held_out, leaks = unseen(known.splits.get("test"), known.splits["train"])
    return Sides.of(
        known.train,
        _in_channels(images.images[chosen], known.spec.channels),
        _labels(made, known)[images.labels[chosen]],
        parents=found[chosen],
        held_out=held_out,
        notes=(*known.notes, *known.left_out, *(_lost(made) if parents else made.left_out), *leaks),
    )


def _lost(output: LoadedFolder) -> tuple[str, ...]:
    """Of the output of a run, what its training split has lost: all else beside the images is the run's own."""
    return replace(output, skipped=tuple(entry for entry in output.skipped if entry.split == "train")).left_out


def _whole(folder: Path) -> Path:
    """The output of a run, where the folder of its training split is given: that holds the real images too."""
    inside = folder.resolve()
    records = inside.parent / PROVENANCE
    if (folder / PROVENANCE).exists() or not records.is_file():
        return folder
    return inside.parent if any(_split_folder(line) == inside.name for line in read_lines(records)) else folder


def unseen(test: LabelledImages | None, train: LabelledImages) -> tuple[LabelledImages | None, list[str]]:
    """The test images that are not in train as well, and a sentence on the others."""
    if test is None:
        return None, []
    alike = nearest(test.thumbnails, train.thumbnails)[1] <= 1 - NEAR
    if not alike.any():
        return test, []
    told = f"{alike.sum()} of {len(alike)} test images are near-duplicates of training images, and left out"
    return (None if alike.all() else test.take({test.names[row] for row in np.flatnonzero(~alike)})), [told]


def parent_rows(train: TrainSplit, parents: Sequence[Sequence[str]]) -> NDArray[np.int64]:
    """Training rows int64 [M, k] of the files that each image was made from; -1 pads, and stands for unknown ones."""
    places = {name: row for row, name in enumerate(train.names)}
    rows = np.full((len(parents), max([1, *map(len, parents)])), -1, dtype=np.int64)
    for image, names in enumerate(parents):
        rows[image, : len(names)] = [places.get(name, -1) for name in names]
    return rows


def _recorded(folder: Path) -> dict[str, list[str]] | None:
    """{file: its parents as REAL calls them} of a run's synthetic files; None where there is no provenance.

    Records name parents as the output does, beside the name that each real image had in its folder.
    """
    path = folder / PROVENANCE
    if not path.exists():
        return None
    lines = [line for line in read_lines(path) if line["split"] == "train"]
    sources = {line["file_name"]: line.get("source", "") for line in lines if not line["synthetic"]}
    return {
        inner(line["file_name"]): [sources.get(name, name) for name in line.get("parents", [])]
        for line in lines
        if line["synthetic"]
    }


def inner(name: str) -> str:
    """A file of a split as its split calls it: without the folder of the split."""
    return name.partition("/")[2]


def _split_folder(line: Line) -> str:
    return str(line["file_name"]).partition("/")[0]


def _labels(made: LoadedFolder, known: LoadedFolder) -> NDArray[np.int64]:
    """The real folder's label of each synthetic class."""
    if strange := [name for name in made.spec.classes if name not in known.spec.classes]:
        raise UsageError(f"classes of the synthetic images must be among {list(known.spec.classes)}, got {strange}")
    return np.array([known.spec.classes.index(name) for name in made.spec.classes], dtype=np.int64)


def _in_channels(images: Pixels, channels: int) -> Pixels:
    if images.shape[3] == channels:
        return images
    if channels == 3:
        return np.repeat(images, 3, axis=3)
    grey: Pixels = images.mean(axis=3, keepdims=True).round().astype(np.uint8)
    return grey
