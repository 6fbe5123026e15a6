"""The images of a comparison: training images, held-out images, and synthetic images with their parents."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genaug.data.attribution import Attribution
from genaug.data.duplicates import near_matches
from genaug.data.folder import LabelledImages, LoadedFolder, load_folder
from genaug.data.split import TrainSplit
from genaug.errors import DataError, UsageError
from genaug.output.provenance import ProvenanceLine, drawn_beside_real, has_provenance, read_provenance
from genaug.output.run_file import read_run, require_class_folders
from genaug.storage import real_path

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class ComparedFiles:
    """The files of a comparison, to be read again at the size at which a classifier will be trained.

    real: in the order of the training split. synthetic: in the order of the synthetic images. train_side: the shorter
    side in pixels at which a classifier will be trained. resize: how images are brought to that size.
    """

    real: tuple[Path, ...]
    synthetic: tuple[Path, ...]
    train_side: int
    resize: str


@dataclass(frozen=True)
class EvaluationInputs:
    """Real and synthetic images, all at the model size.

    train: the real images on which generators were trained.
    held_out: the test split; None if the real folder has none.
    synthetic: uint8 [M, H, W, C]. labels: int64 [M], their classes.
    parents: int64 [M, k], the training rows from which each synthetic image is known to be generated, padded with -1.
    sources: int64 [M], the most similar of the parents, or the nearest training row if no parent is known.
    notes: sentences on how files were read and which were left out.
    files: the files of all images; None for images in memory.
    """

    train: TrainSplit
    held_out: LabelledImages | None
    synthetic: Pixels
    labels: Tensor
    parents: Tensor
    sources: Tensor
    notes: tuple[str, ...] = ()
    files: ComparedFiles | None = None

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
        files: ComparedFiles | None = None,
    ) -> "EvaluationInputs":
        """Inputs from arrays. parents: int64 [M, k], padded with -1; if left out, no parent is known."""
        known = np.full((len(labels), 1), -1, dtype=np.int64) if parents is None else parents
        sources = Attribution(train).find(synthetic, known)[0] if len(labels) else known[:, 0]
        classes, parent_table, most_similar = (torch.from_numpy(array) for array in (labels, known, sources))
        return cls(train, held_out, synthetic, classes, parent_table, most_similar, tuple(notes), files)


def load_inputs(
    real: Path,
    synthetic: Path,
    *,
    size: tuple[int, int] | None = None,
    resize: str = "auto",
    train_side: int | None = None,
) -> EvaluationInputs:
    """Load the real folder as `genaug run` does, and the synthetic images of the other folder.

    synthetic: the output of a run, of which only synthetic images are used, or a folder of class folders, of which all
        images are used. Test images that are near-duplicates of training images are left out.
    train_side: the shorter side in pixels at which a classifier will be trained; if left out, the one that the run
        recorded, or the median of all images that are compared.
    Raises DataError if `synthetic` has no synthetic image or no class folders, UsageError if it has a class that `real`
    does not have.
    """
    synthetic = _whole(synthetic)
    require_class_folders(synthetic)
    known = load_folder(real, size=size, resize=resize)
    loaded = load_folder(synthetic, size=(known.spec.height, known.spec.width), resize=known.resize)
    images, parents = loaded.splits["train"], _recorded(synthetic)
    chosen = np.array([parents is None or name in parents for name in images.names])
    if not chosen.any():
        raise DataError(f"{synthetic} holds no synthetic image; expected the output of a run or of genaug sample")
    rows = parent_rows(known.train, [(parents or {}).get(name, []) for name in images.names])
    held_out, leaks = unseen(known.splits.get("test"), known.splits["train"])
    return EvaluationInputs.of(
        known.train,
        _in_channels(images.images[chosen], known.spec.channels),
        _labels(loaded, known)[images.labels[chosen]],
        parents=rows[chosen],
        held_out=held_out,
        notes=(*known.notes, *known.left_out, *(_lost(loaded) if parents else loaded.left_out), *leaks),
        files=compared_files(
            known, images.take({images.names[row] for row in np.flatnonzero(chosen)}), synthetic, train_side
        ),
    )


def compared_files(
    known: LoadedFolder, synthetic: LabelledImages, out: Path, train_side: int | None = None
) -> ComparedFiles:
    """The files of the training images of `known`, all of them real, and of synthetic images.

    out: an output or another folder. train_side: if left out, the one that the run of `out` recorded, or the median
    shorter side of all these images.
    """
    real = known.splits["train"]
    paths = dict(zip(real.names, real.paths, strict=True))
    sizes = [min(one.height, one.width) for one in (*real.facts, *synthetic.facts)]
    side = train_side or _recorded_side(out) or max(8, round(median(sizes)))
    return ComparedFiles(tuple(paths[name] for name in known.train.names), synthetic.paths, side, known.resize)


def _recorded_side(folder: Path) -> int | None:
    """The shorter side at which a run compared real and generated images; None where it did not."""
    found = (read_run(folder) or {}).get("detectability")
    side = found.get("train_size") if isinstance(found, dict) else None
    return side if isinstance(side, int) and side >= 8 else None


def _lost(output: LoadedFolder) -> tuple[str, ...]:
    """Sentences on unreadable images in the training split of an output. Its other files are the run's own records."""
    return replace(output, skipped=tuple(entry for entry in output.skipped if entry.split == "train")).left_out


def _whole(folder: Path) -> Path:
    """The folder itself, or the output that contains it if it is the folder of an output's training split."""
    inside = real_path(folder)
    if has_provenance(folder) or not has_provenance(inside.parent):
        return folder
    return (
        inside.parent if any(_split_folder(line) == inside.name for line in read_provenance(inside.parent)) else folder
    )


def unseen(test: LabelledImages | None, train: LabelledImages) -> tuple[LabelledImages | None, list[str]]:
    """The test images without near-duplicates of training images (None if none is left), and a note on the others."""
    if test is None:
        return None, []
    near = near_matches(test.thumbnails, train.thumbnails) >= 0
    if not near.any():
        return test, []
    note = f"{near.sum()} of {len(near)} test images are near-duplicates of training images and are left out"
    return (None if near.all() else test.take({test.names[row] for row in np.flatnonzero(~near)})), [note]


def parent_rows(train: TrainSplit, parents: Sequence[Sequence[str]]) -> NDArray[np.int64]:
    """Training rows int64 [M, k] of each image's parents, given as file names; -1 for padding and unknown files."""
    places = {name: row for row, name in enumerate(train.names)}
    rows = np.full((len(parents), max([1, *map(len, parents)])), -1, dtype=np.int64)
    for image, names in enumerate(parents):
        rows[image, : len(names)] = [places.get(name, -1) for name in names]
    return rows


def _recorded(folder: Path) -> dict[str, list[str]] | None:
    """{file: its parents by their names in the real folder} of a run's synthetic files; None without provenance.

    Files that top up the real side are left out. The records name parents by their files in the output, and give the
    name in the real folder of each real image.
    """
    if not has_provenance(folder):
        return None
    lines = [line for line in read_provenance(folder) if line["split"] == "train"]
    sources = {line["file_name"]: line.get("source", "") for line in lines if not line["synthetic"]}
    return {
        inner(line["file_name"]): [sources.get(name, name) for name in line.get("parents", [])]
        for line in lines
        if drawn_beside_real(line)
    }


def inner(name: str) -> str:
    """The name of a file without the folder of its split: `train/cat/1.png` becomes `cat/1.png`."""
    return name.partition("/")[2]


def _split_folder(line: ProvenanceLine) -> str:
    return str(line["file_name"]).partition("/")[0]


def _labels(synthetic: LoadedFolder, known: LoadedFolder) -> NDArray[np.int64]:
    """The real folder's label of each class of the synthetic folder."""
    if unknown := [name for name in synthetic.spec.classes if name not in known.spec.classes]:
        raise UsageError(f"classes of the synthetic images must be among {list(known.spec.classes)}, got {unknown}")
    return np.array([known.spec.classes.index(name) for name in synthetic.spec.classes], dtype=np.int64)


def _in_channels(images: Pixels, channels: int) -> Pixels:
    """Images uint8 [N, H, W, C] as grey (1 channel) or colour (3 channels)."""
    if images.shape[3] == channels:
        return images
    if channels == 3:
        return np.repeat(images, 3, axis=3)
    grey: Pixels = images.mean(axis=3, keepdims=True).round().astype(np.uint8)
    return grey
