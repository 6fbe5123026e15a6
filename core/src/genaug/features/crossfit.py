"""Classifiers that never saw the image that they judge."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from genaug.chance import derive, permutation
from genaug.classifier import Classifier, fit_classifier, load_classifier, save_classifier
from genaug.data import duplicates
from genaug.data.split import TrainSplit
from genaug.storage import make_folder, stage_hash
from genaug.training import Progress

FOLDS = 3
STEPS = 800

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class CrossFit:
    """One classifier per fold of the training images, trained on all other folds; near-duplicates share a fold.

    folds: int64 [N], of the training rows. Features of two images can be compared only where their folds are the same,
    since every classifier has features of its own; probabilities can always be compared.
    """

    classifiers: tuple[Classifier, ...]
    folds: Tensor

    def probabilities(self, images: NDArray[np.uint8], parents: Tensor) -> Tensor:
        """uint8 [N, H, W, C] to float32 [N, K], each by the classifier that never saw its parent, a row int64 [N]."""
        return self._each(images, parents, [one.probabilities for one in self.classifiers])

    def features(self, images: NDArray[np.uint8], parents: Tensor) -> Tensor:
        """uint8 [N, H, W, C] to float32 [N, 128], each by the classifier that never saw its parent, a row int64 [N]."""
        return self._each(images, parents, [one.features for one in self.classifiers])

    def _each(self, images: NDArray[np.uint8], parents: Tensor, views: Sequence[object]) -> Tensor:
        folds = self.folds[parents]
        found: list[Tensor] = []
        for fold, view in enumerate(views):
            found.append(view(images[(folds == fold).numpy()]))  # type: ignore[operator] # two methods of one shape
        order = torch.cat([(folds == fold).nonzero().flatten() for fold in range(len(views))]).argsort()
        return torch.cat(found)[order]


@dataclass(frozen=True)
class JudgeProgress:
    """News of one of the classifiers of a cross-fit, `number` of `count`."""

    number: int
    count: int
    progress: Progress


def cross_fit(
    split: TrainSplit,
    *,
    seed: int,
    steps: int = STEPS,
    folder: Path | None = None,
    report: Callable[[JudgeProgress], None] | None = None,
) -> CrossFit:
    """Train one classifier for each of three folds; fewer where there are fewer groups of near-duplicates.

    folder: where finished classifiers are kept, and found again by what decides them.
    """
    folds = _folds(split, seed)
    count = int(folds.max()) + 1
    parts = [np.flatnonzero(folds != fold) for fold in range(count)] if count > 1 else [np.arange(len(split))]
    fitted = []
    for fold, part in enumerate(parts):
        tell = None if report is None else partial(_tell, report, fold + 1, count)
        fitted.append(_judge(_part(split, part), derive(seed, "cross-fit", fold), steps, folder, tell))
    return CrossFit(tuple(fitted), torch.from_numpy(folds))


def _tell(report: Callable[[JudgeProgress], None], number: int, count: int, progress: Progress) -> None:
    report(JudgeProgress(number, count, progress))


def _judge(
    split: TrainSplit, seed: int, steps: int, folder: Path | None, report: Callable[[Progress], None] | None
) -> Classifier:
    """A fitted classifier, from the folder where it is there."""
    if folder is None:
        return fit_classifier(split, steps=steps, seed=seed, report=report)
    path = folder / f"{stage_hash([split.fingerprint, seed, steps, torch.get_num_threads()])}.safetensors"
    found = load_classifier(path, split.spec)
    if found is None:
        found = fit_classifier(split, steps=steps, seed=seed, report=report)
        make_folder(folder)
        save_classifier(path, found)
    return found


def _part(split: TrainSplit, rows: Rows) -> TrainSplit:
    counts = tuple(np.bincount(split.labels[rows], minlength=len(split.spec.classes)).tolist())
    names = tuple(split.names[row] for row in rows)
    spec = replace(split.spec, counts=counts)
    return TrainSplit(spec, split.images[rows], split.labels[rows], split.rows[rows], names)


def _folds(split: TrainSplit, seed: int) -> Rows:
    """Groups of near-duplicates dealt out class by class, so that folds are alike in size and classes."""
    groups = near_groups(split)
    folds, sizes = np.zeros(len(split), dtype=np.int64), [0] * FOLDS
    for label in range(len(split.spec.classes)):
        mine = np.unique(groups[split.labels == label])
        for place in permutation(len(mine), seed, "folds", label).tolist():
            fold = sizes.index(min(sizes))
            members = groups == mine[place]
            folds[members] = fold
            sizes[fold] += int(members.sum())
    return np.unique(folds, return_inverse=True)[1].astype(np.int64)


def near_groups(split: TrainSplit) -> Rows:
    """For each training image the number of its group of near-duplicates, int64 [N]."""
    return duplicates.near_groups(np.stack([duplicates.thumbnail(image) for image in split.images]))
