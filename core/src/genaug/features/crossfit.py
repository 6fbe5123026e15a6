"""Cross-fitted classifiers: each image is judged by a classifier on which it was not trained."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from genaug.chance import derive, permutation
from genaug.classifier import Classifier, fit_classifier, load_classifier, precision, save_classifier
from genaug.data import duplicates
from genaug.data.groups import joined
from genaug.data.split import TrainSplit
from genaug.errors import OutputError
from genaug.executors import Report, all_results, silent
from genaug.storage import make_folder, stage_hash
from genaug.training import Progress, side_by_side

FOLDS = 3
STEPS = 400
_TEMPERATURES = 0.25, 4.0
_THREADS = 1

Rows = NDArray[np.int64]
View = Callable[[NDArray[np.uint8]], Tensor]


@dataclass(frozen=True)
class CrossFit:
    """One classifier for each fold of the training images, trained on all other folds; near-duplicates share a fold.

    temperature: by which logits are divided, so that a probability of 0.8 is right in about 80 % of all cases.
    folds: int64 [N], the fold of each training row. Features of two images can be compared only if their folds are the
        same, because each classifier has its own features. Probabilities can always be compared.
    """

    classifiers: tuple[Classifier, ...]
    folds: Tensor
    temperature: float = 1.0

    def probabilities(self, images: NDArray[np.uint8], sources: Tensor) -> Tensor:
        """Calibrated class probabilities float32 [N, K] of images uint8 [N, H, W, C].

        sources: int64 [N], the training row of each image's source image; its classifier was not trained on that row.
        """
        return (self.logits(images, sources) / self.temperature).softmax(dim=1)

    def logits(self, images: NDArray[np.uint8], sources: Tensor) -> Tensor:
        """Outputs of the last layers before calibration, float32 [N, K], by the same classifiers."""
        return self._each(images, sources, [one.logits for one in self.classifiers])

    def features(self, images: NDArray[np.uint8], sources: Tensor) -> Tensor:
        """Features float32 [N, 128] of images uint8 [N, H, W, C], by the same classifiers as `probabilities`."""
        return self._each(images, sources, [one.features for one in self.classifiers])

    def calibrated(self, split: TrainSplit) -> "CrossFit":
        """The same classifiers with the temperature that fits the training images, none of which its judge has seen.

        One temperature for all classes and folds (Guo et al. 2017, arXiv 1706.04599), between 1/4 and 4. It stays 1 if
        there is one fold only, since that classifier has seen all images.
        """
        if len(self.classifiers) < 2:
            return self
        logits = self.logits(split.images, torch.arange(len(split))).double()
        return replace(self, temperature=fit_temperature(logits, torch.from_numpy(split.labels)))

    def _each(self, images: NDArray[np.uint8], sources: Tensor, views: Sequence[View]) -> Tensor:
        folds = self.folds[sources]
        outputs = [view(images[(folds == fold).numpy()]) for fold, view in enumerate(views)]
        order = torch.cat([(folds == fold).nonzero().flatten() for fold in range(len(views))]).argsort()
        return torch.cat(outputs)[order]


@dataclass(frozen=True)
class JudgeProgress:
    """Training progress of one classifier among several: `number` of `count`, from 1. role: what it is trained for."""

    number: int
    count: int
    progress: Progress
    role: str = "judge"


@dataclass(frozen=True)
class ClassifierTask:
    """One of several classifiers to train, `number` of `count`, from 1. role: what it is trained for."""

    split: TrainSplit
    seed: int
    steps: int
    number: int
    count: int
    role: str = "judge"


def cross_fit(
    split: TrainSplit,
    *,
    seed: int,
    steps: int = STEPS,
    folder: Path | None = None,
    workers: int | None = None,
    report: Report = silent,
) -> CrossFit:
    """Train one classifier for each of three folds, and calibrate them on the images that each was not trained on.

    There are fewer folds if there are fewer groups of near-duplicates.

    steps: training steps of each classifier.
    folder: where finished classifiers are stored, under a hash of everything that determines them, and found again.
    workers: classifiers that train side by side, by default one for each core.
    report: called with a JudgeProgress in each training.
    """
    folds = folds_of(split, seed)
    count = int(folds.max()) + 1
    parts = [np.flatnonzero(folds != fold) for fold in range(count)] if count > 1 else [np.arange(len(split))]
    tasks = [
        ClassifierTask(part_of(split, part), derive(seed, "cross-fit", fold), steps, fold + 1, count)
        for fold, part in enumerate(parts)
    ]
    return CrossFit(trained(tasks, folder, workers, report), torch.from_numpy(folds)).calibrated(split)


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """The number in [0.25, 4] by which logits [N, K] are divided so that labels [N] have the least cross-entropy."""
    from scipy.optimize import minimize_scalar  # imported here because it takes half a second

    least, most = (math.log(bound) for bound in _TEMPERATURES)

    def cost(logarithm: float) -> float:
        return float(F.cross_entropy(logits / math.exp(logarithm), labels))

    return math.exp(float(minimize_scalar(cost, bounds=(least, most), method="bounded").x))


def trained(
    tasks: Sequence[ClassifierTask], folder: Path | None, workers: int | None, report: Report
) -> tuple[Classifier, ...]:
    """Trained classifiers: those that the folder has are loaded, the others trained and stored. None: not kept.

    Each trains with one thread: two side by side do more than one with two threads, and their bytes do not depend on
    the number of threads.
    """
    if folder is None and side_by_side(workers) == 1:
        return tuple(_fitted(task, report) for task in tasks)
    if folder is None:
        with TemporaryDirectory() as scratch:
            return trained(tasks, Path(scratch), workers, report)
    pairs = [(task, folder / _key(task)) for task in tasks]
    found = {path: load_classifier(path, task.split.spec) for task, path in pairs}
    make_folder(folder)
    all_results(_store, [pair for pair in pairs if found[pair[1]] is None], report, workers=side_by_side(workers))
    return tuple(found[path] or _stored(path, task) for task, path in pairs)


def _key(task: ClassifierTask) -> str:
    return stage_hash([task.split.fingerprint, task.seed, task.steps, precision(), _THREADS])


def _store(pair: tuple[ClassifierTask, Path], report: Report) -> None:
    task, path = pair
    save_classifier(path, _fitted(task, report))


def _fitted(task: ClassifierTask, report: Report) -> Classifier:
    def tell(progress: Progress) -> None:
        report(JudgeProgress(task.number, task.count, progress, task.role))

    return fit_classifier(task.split, steps=task.steps, seed=task.seed, threads=_THREADS, report=tell)


def _stored(path: Path, task: ClassifierTask) -> Classifier:
    found = load_classifier(path, task.split.spec)
    if found is None:
        raise OutputError(f"{path} is gone or changed since it was written; run the same command again")
    return found


def part_of(split: TrainSplit, rows: Rows) -> TrainSplit:
    """These rows of a split, with all of its classes."""
    counts = tuple(np.bincount(split.labels[rows], minlength=len(split.spec.classes)).tolist())
    names, groups = (tuple(values[row] for row in rows if values) for values in (split.names, split.groups))
    spec = replace(split.spec, counts=counts)
    return TrainSplit(spec, split.images[rows], split.labels[rows], split.rows[rows], names, groups)


def folds_of(split: TrainSplit, seed: int) -> Rows:
    """The fold of each row, int64 [N]: near-duplicates share one; folds have similar sizes and shares of each class."""
    return deal_folds(near_groups(split), split.labels, FOLDS, seed)


def deal_folds(groups: Rows, labels: Rows, count: int, seed: int) -> Rows:
    """The fold of each image, int64 [N] in [0, count): groups are dealt class by class, each to the smallest fold.

    groups, labels: int64 [N]. There are fewer folds if there are fewer groups.
    """
    folds, sizes = np.zeros(len(labels), dtype=np.int64), [0] * count
    for label in range(int(labels.max()) + 1):
        in_class = np.unique(groups[labels == label])
        for place in permutation(len(in_class), seed, "folds", label).tolist():
            fold = sizes.index(min(sizes))
            rows = groups == in_class[place]
            folds[rows] = fold
            sizes[fold] += int(rows.sum())
    return np.unique(folds, return_inverse=True)[1].astype(np.int64)


def near_groups(split: TrainSplit) -> Rows:
    """The group of each training image, int64 [N]: near-duplicates, and images that the user says belong together."""
    near = duplicates.near_groups(np.stack([duplicates.thumbnail(image) for image in split.images]))
    return joined(near, split.groups) if split.groups else near
