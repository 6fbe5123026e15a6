"""Repeated stratified splits that keep near-duplicates together, and two halves of the images for choice and score."""

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
    """One split. train, held_out: rows int64 of the images, which no group of near-duplicates straddles."""

    repeat: int
    number: int
    train: Rows
    held_out: Rows

    @property
    def title(self) -> str:
        """For people, counted from one."""
        return f"{self.repeat + 1}.{self.number + 1}"


def halves(split: TrainSplit, seed: int) -> NDArray[np.bool_]:
    """Bool [N]: the half of each image, the same in every split. One half chooses an arm, the other scores it.

    Groups of near-duplicates are dealt out class by class and turn by turn.
    """
    groups = near_groups(split)
    side: dict[int, bool] = {}
    turn = False
    for label in range(len(split.spec.classes)):
        fresh = [group for group in np.unique(groups[split.labels == label]).tolist() if group not in side]
        for place in permutation(len(fresh), seed, "halves of a study", label).tolist():
            side[fresh[place]] = turn
            turn = not turn
    return np.array([side[group] for group in groups.tolist()])


def split_folds(split: TrainSplit, *, folds: int, repeats: int, seed: int) -> Iterator[Fold]:
    """Every image is held out once in each repeat, where its class has other groups to train on.

    A class of a single group of near-duplicates is never held out. Raises DataError when nothing can be.
    """
    groups = near_groups(split)
    lonely = _lonely(split.labels, groups)
    movable = np.flatnonzero(~lonely)
    mine = [np.unique(groups[movable][split.labels[movable] == label]) for label in np.unique(split.labels)]
    largest = max(len(different) for different in mine)
    if largest < folds:
        raise DataError(
            f"a study of {folds} folds needs a class of at least {folds} different images, the largest has {largest}; "
            "add images, or give fewer --folds"
        )
    for repeat in range(repeats):
        for number, held_out in enumerate(_dealt(split.labels[movable], groups[movable], folds, seed, repeat)):
            out = _without_emptied(movable[held_out], split.labels, groups)
            if len(out):
                yield Fold(repeat, number, np.setdiff1d(np.arange(len(split)), out), out)


def _lonely(labels: Rows, groups: Rows) -> NDArray[np.bool_]:
    """Images of classes that are one group of near-duplicates, and whatever is in such a group."""
    alone = [label for label in np.unique(labels) if len(np.unique(groups[labels == label])) < 2]
    return np.isin(groups, groups[np.isin(labels, alone)])


def _dealt(labels: Rows, groups: Rows, folds: int, seed: int, repeat: int) -> Iterator[Rows]:
    from sklearn.model_selection import StratifiedGroupKFold

    chance = derive(seed, "folds of a study", repeat) % _SEEDS
    dealer = StratifiedGroupKFold(folds, shuffle=True, random_state=chance)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # classes of fewer images than folds are what we are for
        for _, held_out in dealer.split(labels, labels, groups):
            yield held_out.astype(np.int64)


def _without_emptied(held_out: Rows, labels: Rows, groups: Rows) -> Rows:
    """No class may lose all its images to one fold: nothing would be left to train on."""
    whole = [label for label in np.unique(labels) if np.isin(np.flatnonzero(labels == label), held_out).all()]
    needed = groups[np.isin(labels, whole)]
    return held_out[~np.isin(groups[held_out], needed)]
