"""Repeated stratified splits that keep near-duplicates together, and two halves of the images to choose and score."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genaug.chance import derive, permutation
from genaug.data.split import TrainSplit
from genaug.errors import DataError
from genaug.features import near_groups

Rows = NDArray[np.int64]
_SEEDS = 2**32


@dataclass(frozen=True)
class Fold:
    """One training set and the images that it is scored on. repeat, number: which one, counted from zero.

    train: int64 rows of training images. held_out: int64 rows of the images that score; in a cross-validation, each
    group of near-duplicates is in one of the two only.
    """

    repeat: int
    number: int
    train: Rows
    held_out: Rows

    @property
    def title(self) -> str:
        """REPEAT.NUMBER, counted from one."""
        return f"{self.repeat + 1}.{self.number + 1}"


def halves(labels: Rows, groups: Rows, seed: int) -> NDArray[np.bool_]:
    """Bool [N]: the half of each image, the same in every split. One half chooses an arm, the other half scores it.

    labels, groups: int64 [N]. Groups of near-duplicates are kept together; the groups of each class go to the two
    halves in turn.
    """
    half: dict[int, bool] = {}
    turn = False
    for label in np.unique(labels).tolist():
        new = [group for group in np.unique(groups[labels == label]).tolist() if group not in half]
        for index in permutation(len(new), seed, "halves of a study", label).tolist():
            half[new[index]] = turn
            turn = not turn
    return np.array([half[group] for group in groups.tolist()])


def trainings(train: int, scored: int, repeats: int) -> Iterator[Fold]:
    """Repeated trainings on all of `train` images, each scored on all of `scored` other images."""
    for repeat in range(repeats):
        yield Fold(repeat, 0, np.arange(train), np.arange(scored))


def split_folds(split: TrainSplit, *, folds: int, repeats: int, seed: int) -> Iterator[Fold]:
    """The splits of a repeated cross-validation, stratified by class.

    Each repeat holds every image out once, as long as other groups of its class remain for training. So a class that is
    a single group of near-duplicates is never held out. Raises DataError if no class has enough different images.
    """
    groups = near_groups(split)
    movable = np.flatnonzero(~_in_class_of_one_group(split.labels, groups))
    labels = split.labels[movable]
    largest = max(len(np.unique(groups[movable][labels == label])) for label in np.unique(split.labels))
    if largest < folds:
        raise DataError(
            f"a study of {folds} folds needs a class of at least {folds} different images, the largest has {largest} "
            "(near-duplicates count as one image); add images, or give fewer --folds"
        )
    for repeat in range(repeats):
        for number, rows in enumerate(_stratified(labels, groups[movable], folds, seed, repeat)):
            held_out = _without_whole_classes(movable[rows], split.labels, groups)
            if len(held_out):
                yield Fold(repeat, number, np.setdiff1d(np.arange(len(split)), held_out), held_out)


def _in_class_of_one_group(labels: Rows, groups: Rows) -> NDArray[np.bool_]:
    """Bool [N]: images of classes that are a single group of near-duplicates, and all other images of such a group."""
    single = [label for label in np.unique(labels) if len(np.unique(groups[labels == label])) < 2]
    return np.isin(groups, groups[np.isin(labels, single)])


def _stratified(labels: Rows, groups: Rows, folds: int, seed: int, repeat: int) -> Iterator[Rows]:
    """The held-out rows of each fold."""
    from sklearn.model_selection import StratifiedGroupKFold

    state = derive(seed, "folds of a study", repeat) % _SEEDS
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=state)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # classes with fewer images than folds are allowed here
        for _, held_out in splitter.split(labels, labels, groups):
            yield held_out.astype(np.int64)


def _without_whole_classes(held_out: Rows, labels: Rows, groups: Rows) -> Rows:
    """The rows without classes that lie in `held_out` entirely: these would have no image left to train on."""
    whole = [label for label in np.unique(labels) if np.isin(np.flatnonzero(labels == label), held_out).all()]
    needed = groups[np.isin(labels, whole)]
    return held_out[~np.isin(groups[held_out], needed)]
