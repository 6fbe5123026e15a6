"""How well generated images can be told from real ones within a class: by their blur alone, and by a classifier."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genaug.chance import derive, permutation
from genaug.classifier import BATCH
from genaug.data.resize import resize
from genaug.data.split import TrainSplit
from genaug.evaluation.blur import blur
from genaug.executors import Report, silent
from genaug.features import ClassifierTask, deal_folds, trained
from genaug.metrics.areas import Area, area_within_classes, comparable_classes
from genaug.spec import ImageSpec

FOLDS = 2
STEPS = 100
MOST = 100  # images of one class and kind
_MOST_OF_A_KIND = 2000
_SIDE = 32  # shorter side of what the classifier sees; larger images are averaged down to it by its network anyway
_LONGEST = 256
_PASSES, _LEAST_STEPS = 100, 20

Pixels = NDArray[np.uint8]
Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class OriginViews:
    """N images at the size at which a classifier will be trained, as the two detectors see them.

    blurs: float64 [N], the blur of each. small: uint8 [N, H, W, C], each with a shorter side of 32 pixels.
    """

    blurs: Numbers
    small: Pixels

    @classmethod
    def of(cls, images: Iterable[Pixels], size: tuple[int, int], policy: str) -> "OriginViews":
        """From images uint8 [H, W, C] of any sizes, one after the other: brought to `size` (height, width) first.

        policy: how they are resized, see `genaug.data.resize`. If one is in colour, all are.
        """
        height, width = _small_size(size)
        blurs, small = [], []
        for pixels in images:
            at_size = resize(pixels, *size, pixels.shape[2], policy)
            blurs.append(blur(at_size))
            small.append(resize(at_size, height, width, pixels.shape[2], "stretch"))
        channels = max((one.shape[2] for one in small), default=1)
        wide = [np.broadcast_to(one, (height, width, channels)) for one in small]
        return cls(np.array(blurs), np.stack(wide) if wide else np.empty((0, height, width, channels), np.uint8))


@dataclass(frozen=True)
class Detector:
    """How well one measure tells generated images from the real side within classes.

    sensitivity: share of generated images that it detects, specificity: share of the real side that it does not; both
    within classes and averaged over them, for images from which its threshold was not chosen.
    """

    area: Area
    sensitivity: float
    specificity: float


@dataclass(frozen=True)
class Detectability:
    """What both detectors find."""

    blur: Detector
    classifier: Detector


def sample(labels: Rows, kinds: Rows, seed: int) -> Rows:
    """Rows, sorted, of at most 100 images of each class and kind; fewer than 100 from 21 classes on, but at least 20.

    Enough for an area with an error of 0.05 in each class; all of a large set would take minutes.
    """
    most = max(MOST // 5, min(MOST, _MOST_OF_A_KIND // (int(labels.max(initial=0)) + 1)))
    chosen = [np.empty(0, dtype=np.int64)]
    for label in np.unique(labels).tolist():
        for kind in np.unique(kinds).tolist():
            rows = np.flatnonzero((labels == label) & (kinds == kind))
            chosen.append(rows[permutation(len(rows), seed, "detectability", label, kind).numpy()[:most]])
    return np.sort(np.concatenate(chosen))


def detect(
    views: OriginViews,
    labels: Rows,
    generated: Mask,
    groups: Rows,
    *,
    seed: int,
    steps: int = STEPS,
    folder: Path | None = None,
    workers: int | None = None,
    report: Report = silent,
) -> Detectability | None:
    """Both detectors on N images; None if no class has five images of both kinds.

    labels: [N], their classes. generated: [N], false for the real side. groups: [N], numbers of groups that stay in one
    fold: near-duplicates, and images that come from the same real image. So no detector knows an image by its copy.
    steps: training steps of the classifier of each of two folds, at most a hundred passes over its images.
    folder: where classifiers are kept and found again. workers: classifiers that train side by side.
    """
    folds = deal_folds(groups, labels, FOLDS, derive(seed, "detectability")) if len(labels) else labels
    classes = comparable_classes(labels, generated)
    if not len(classes) or not folds.any():
        return None
    by_blur = area_within_classes(views.blurs, generated, labels, groups)
    scores = _origin_scores(
        views.small, labels, generated, folds, seed=seed, steps=steps, folder=folder, workers=workers, report=report
    )
    by_classifier = area_within_classes(scores, generated, labels, groups, folds)
    if by_blur is None or by_classifier is None:
        return None
    blurred = _blurred(views.blurs, labels, generated, folds)
    return Detectability(
        Detector(by_blur, *_rates(blurred, labels, generated)),
        Detector(by_classifier, *_rates(scores > 0, labels, generated)),
    )


def training_steps(labels: Rows, generated: Mask, steps: int) -> int:
    """About how many steps `detect` trains its classifiers for, both together; 0 where it would find nothing."""
    if not len(comparable_classes(labels, generated)):
        return 0
    kinds = [np.bincount(labels[mask], minlength=int(labels.max()) + 1) for mask in (~generated, generated)]
    images = int(np.maximum(*kinds)[np.minimum(*kinds) > 0].sum())  # those of one fold, each kind repeated to the other
    return FOLDS * min(steps, _most_steps(images))


def _most_steps(images: int) -> int:
    return max(_LEAST_STEPS, _PASSES * images // BATCH)


def _small_size(size: tuple[int, int]) -> tuple[int, int]:
    """Height and width of what the classifier sees: multiples of 8, the shorter one 32, the longer at most 256."""
    height, width = (min(_LONGEST, 8 * round(_SIDE * side / min(size) / 8)) for side in size)
    return height, width


def _origin_scores(
    small: Pixels,
    labels: Rows,
    generated: Mask,
    folds: Rows,
    *,
    seed: int,
    steps: int,
    folder: Path | None,
    workers: int | None,
    report: Report,
) -> Numbers:
    """The logit of being generated, float64 [N], by the classifier that was trained on the other fold; else 0."""
    splits = {
        fold: split
        for fold in range(FOLDS)
        if (folds == fold).any() and (split := origin_split(small, labels, generated, np.flatnonzero(folds != fold)))
    }
    tasks = [
        ClassifierTask(
            split, derive(seed, "detectability", fold), min(steps, _most_steps(len(split))), fold + 1, FOLDS, "detector"
        )
        for fold, split in splits.items()
    ]
    scores = np.zeros(len(labels))
    for fold, classifier in zip(splits, trained(tasks, folder, workers, report), strict=True):
        judged = np.flatnonzero(folds == fold)
        logits = classifier.logits(small[judged]).double().numpy()
        scores[judged] = logits[:, 1] - logits[:, 0]
    return scores


def origin_split(small: Pixels, labels: Rows, generated: Mask, rows: Rows) -> TrainSplit | None:
    """These rows as a split of two classes, real and generated; None if no class has both among them.

    Within each class the rarer kind is repeated until both are equally many, so that the class tells nothing about the
    origin; classes with one kind only are left out.
    """
    chosen = []
    for label in np.unique(labels[rows]).tolist():
        kinds = [rows[(labels[rows] == label) & mask[rows]] for mask in (~generated, generated)]
        if all(map(len, kinds)):
            chosen += [np.resize(kind, max(map(len, kinds))) for kind in kinds]
    if not chosen:
        return None
    taken = np.concatenate(chosen)
    origins = generated[taken].astype(np.int64)
    height, width, channels = small.shape[1:]
    spec = ImageSpec(channels, height, width, ("real", "generated"), (len(taken) // 2, len(taken) // 2))
    places = np.arange(len(taken), dtype=np.int64)
    return TrainSplit(spec, small[taken], origins, places, tuple(f"{place:06d}" for place in places))


def _blurred(blurs: Numbers, labels: Rows, generated: Mask, folds: Rows) -> Mask:
    """Whether the blur of each image is that of a generated one, by the best threshold of the other fold."""
    found = np.zeros(len(blurs), dtype=bool)
    for fold in range(FOLDS):
        known, judged = folds != fold, folds == fold
        threshold, above = _threshold(blurs[known], labels[known], generated[known])
        found[judged] = (blurs[judged] > threshold) == above
    return found


def _threshold(blurs: Numbers, labels: Rows, generated: Mask) -> tuple[float, bool]:
    """The threshold of blur with the best mean of sensitivity and specificity, and whether generated images exceed it.

    Classes count equally, so that the sizes of classes cannot stand in for blur; those of one kind do not count.
    """
    weights = np.zeros(len(blurs))
    for label in np.unique(labels).tolist():
        kinds = [(labels == label) & mask for mask in (~generated, generated)]
        if all(kind.any() for kind in kinds):
            for kind, sign in zip(kinds, (-1, 1), strict=True):
                weights[kind] = sign / kind.sum()
    if not weights.any():
        return float("inf"), True
    candidates = np.unique(blurs)
    gains = np.array([weights[blurs > one].sum() for one in candidates])
    best = int(np.abs(gains).argmax())
    return float(candidates[best]), bool(gains[best] >= 0)


def _rates(detected: Mask, labels: Rows, generated: Mask) -> tuple[float, float]:
    """Sensitivity and specificity within classes, averaged over the classes that have five images of both kinds."""
    pairs = [
        (detected[(labels == label) & generated].mean(), 1 - detected[(labels == label) & ~generated].mean())
        for label in comparable_classes(labels, generated).tolist()
    ]
    sensitivity, specificity = np.mean(pairs, axis=0)
    return float(sensitivity), float(specificity)
