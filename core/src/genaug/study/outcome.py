"""From guesses to a verdict: one half of the images chooses the arms, the other half scores them, and the other way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from genaug.study.arms import Arm
from genaug.study.scores import balanced_accuracy, macro_f1, recalls
from genaug.study.statistics import Estimate, over_splits, standard_error

Labels = NDArray[np.int64]
Values = NDArray[np.float64]
_SIDES = (0, 1)


@dataclass(frozen=True)
class Guessed:
    """What the classifiers of one split said.

    labels: int64 [N], of the held-out images. half: bool [N]. guesses: of each arm, in their order, int64 [N] by seed.
    """

    labels: Labels
    half: NDArray[np.bool_]
    guesses: tuple[tuple[Labels, ...], ...]


@dataclass(frozen=True)
class Outcome:
    """All splits of a study so far. held_out_share: of the images, in each split, on average."""

    arms: tuple[Arm, ...]
    classes: int
    splits: tuple[Guessed, ...]
    held_out_share: float

    def accuracy(self, arm: int) -> Values:
        """Balanced accuracy in each split on all that is held out, float64 [J]."""
        return np.array([self._mean(split, arm, balanced_accuracy) for split in self.splits])

    def f1(self, arm: int) -> Values:
        """Macro-F1 in each split on all that is held out, float64 [J]."""
        return np.array([self._mean(split, arm, macro_f1) for split in self.splits])

    def recall(self, arm: int) -> Values:
        """Mean recall of each class over splits and seeds, float64 [K]; not a number where nothing is held out."""
        return _nan_mean(np.stack([self._recalls(split, arm, slice(None)) for split in self.splits]))

    @cached_property
    def by_half(self) -> Values:
        """Balanced accuracy by arm, split and half of the images, float64 [A, J, 2]."""
        arms = range(len(self.arms))
        return np.array([[[self._half(one, arm, side) for side in _SIDES] for one in self.splits] for arm in arms])

    @cached_property
    def chosen_real(self) -> tuple[int, int]:
        """The best real-only arm on the other half, for the score of either half."""
        return self._chosen([place for place, arm in enumerate(self.arms) if not arm.synthetic])

    @cached_property
    def chosen_synthetic(self) -> tuple[int, int]:
        """The best arm with synthetic images on the other half, for the score of either half."""
        return self._chosen([place for place, arm in enumerate(self.arms) if arm.synthetic])

    def best(self, *, synthetic: bool) -> int:
        """The best arm of its kind on all that was held out."""
        return max((place for place, arm in enumerate(self.arms) if arm.synthetic == synthetic), key=self._level)

    def differences(self, arms: tuple[int, int]) -> Values:
        """Balanced accuracy of an arm, by half, less that of the chosen real-only arm: float64 [J], by split."""
        sides = [self.by_half[arms[side], :, side] - self.by_half[self.chosen_real[side], :, side] for side in _SIDES]
        return _nan_mean(np.stack(sides))

    def difference(self, arms: tuple[int, int]) -> Estimate:
        """The mean of `differences` with its interval."""
        return over_splits(self.differences(arms).tolist(), self.held_out_share)

    def class_differences(self) -> list[Estimate]:
        """The chosen synthetic arm's recall of each class less that of the chosen real-only arm."""
        sides = []
        for side in _SIDES:
            made, real = self.chosen_synthetic[side], self.chosen_real[side]
            masks = [split.half == bool(side) for split in self.splits]
            pairs = zip(self.splits, masks, strict=True)
            sides.append([self._recalls(split, made, mask) - self._recalls(split, real, mask) for split, mask in pairs])
        found = _nan_mean(np.array(sides))
        return [over_splits(found[:, label].tolist(), self.held_out_share) for label in range(self.classes)]

    def class_recalls(self, arms: tuple[int, int]) -> Values:
        """Recall of each class, float64 [K], each half scored by the arm that the other one chose."""
        sides = [
            [self._recalls(split, arms[side], split.half == bool(side)) for split in self.splits] for side in _SIDES
        ]
        return _nan_mean(_nan_mean(np.array(sides)))

    def recommended(self) -> int:
        """The simplest arm that is not worse than the best by more than one standard error of their difference.

        Arms stand in order of simplicity, real images alone before all others (Breiman et al. 1984, section 3.4.3). A
        single split knows no error, and recommends no synthetic images.
        """
        best = max(range(len(self.arms)), key=self._level)
        if len(self.splits) < 2:
            return self.best(synthetic=False)
        for arm in range(best):
            lost = _nan_mean((self.by_half[best] - self.by_half[arm]).T)
            known = lost[np.isfinite(lost)]
            if len(known) > 1 and known.mean() <= standard_error(known, self.held_out_share):
                return arm
        return best

    def _level(self, arm: int) -> float:
        return float(np.nanmean(self.by_half[arm]))

    def _chosen(self, arms: Sequence[int]) -> tuple[int, int]:
        means = [_nan_mean(self.by_half[arm]) for arm in arms]
        first, second = (arms[int(np.argmax([mean[1 - side] for mean in means]))] for side in _SIDES)
        return first, second

    def _half(self, split: Guessed, arm: int, side: int) -> float:
        mask = split.half == bool(side)
        found = [balanced_accuracy(split.labels[mask], guess[mask]) for guess in split.guesses[arm]]
        return float(np.mean(found))

    def _recalls(self, split: Guessed, arm: int, mask: NDArray[np.bool_] | slice) -> Values:
        found = [recalls(split.labels[mask], guess[mask], self.classes) for guess in split.guesses[arm]]
        means: Values = np.array(found).mean(axis=0)
        return means

    def _mean(self, split: Guessed, arm: int, score: Callable[[Labels, Labels], float]) -> float:
        return float(np.mean([score(split.labels, guess) for guess in split.guesses[arm]]))


def _nan_mean(values: Values) -> Values:
    """The mean over the first axis of what is a number; not a number where nothing is."""
    known = np.isfinite(values)
    counts = known.sum(axis=0)
    return np.where(counts > 0, np.where(known, values, 0.0).sum(axis=0) / np.maximum(counts, 1), np.nan)
