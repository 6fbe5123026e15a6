"""From predictions to differences between arms: one half of the images chooses an arm, the other half scores it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from genaug.studies.arms import Arm
from genaug.studies.scores import balanced_accuracy, macro_f1, recalls
from genaug.studies.statistics import Estimate, over_splits, standard_error

Labels = NDArray[np.int64]
Values = NDArray[np.float64]
_HALVES = (0, 1)


@dataclass(frozen=True)
class SplitPredictions:
    """The predictions of all classifiers of one split.

    labels: int64 [N], of the held-out images. half: bool [N], the half that each image belongs to. predictions: for
    each arm, in the order of the arms, one int64 [N] per seed.
    """

    labels: Labels
    half: NDArray[np.bool_]
    predictions: tuple[tuple[Labels, ...], ...]


@dataclass(frozen=True)
class StudyOutcome:
    """All finished splits of a study. held_out_share: the mean share of the images that a split holds out.

    Methods take arms by their index. A pair of arms is scored half by half: its first arm on the images of half 0, its
    second arm on those of half 1.
    """

    arms: tuple[Arm, ...]
    classes: int
    splits: tuple[SplitPredictions, ...]
    held_out_share: float

    def accuracy(self, arm: int) -> Values:
        """Balanced accuracy on all held-out images of each split, float64 [J]."""
        return np.array([self._mean(split, arm, balanced_accuracy) for split in self.splits])

    def f1(self, arm: int) -> Values:
        """Macro-F1 on all held-out images of each split, float64 [J]."""
        return np.array([self._mean(split, arm, macro_f1) for split in self.splits])

    def recall(self, arm: int) -> Values:
        """Recall of each class, averaged over splits and seeds, float64 [K]; NaN if none of its images is held out."""
        return _nan_mean(np.stack([self._recalls(split, arm, slice(None)) for split in self.splits]))

    @cached_property
    def by_half(self) -> Values:
        """Balanced accuracy of each arm in each split on each half of the images, float64 [A, J, 2]."""
        arms = range(len(self.arms))
        return np.array([[[self._on_half(one, arm, half) for half in _HALVES] for one in self.splits] for arm in arms])

    @cached_property
    def chosen_real(self) -> tuple[int, int]:
        """For each half, the arm without synthetic images that is best on the other half."""
        return self._chosen([index for index, arm in enumerate(self.arms) if not arm.synthetic])

    @cached_property
    def chosen_synthetic(self) -> tuple[int, int]:
        """For each half, the arm with synthetic images that is best on the other half."""
        return self._chosen([index for index, arm in enumerate(self.arms) if arm.synthetic])

    def best(self, *, synthetic: bool) -> int:
        """The best arm with, or without, synthetic images on all held-out images."""
        return max((index for index, arm in enumerate(self.arms) if arm.synthetic == synthetic), key=self._level)

    def differences(self, arms: tuple[int, int]) -> Values:
        """Balanced accuracy of a pair of arms minus that of `chosen_real` in each split, float64 [J]."""
        real = self.chosen_real
        return _nan_mean(
            np.stack([self.by_half[arms[half], :, half] - self.by_half[real[half], :, half] for half in _HALVES])
        )

    def difference(self, arms: tuple[int, int]) -> Estimate:
        """The mean of `differences` with its interval."""
        return self._estimate(self.differences(arms))

    def class_differences(self) -> list[Estimate]:
        """For each class, the recall of `chosen_synthetic` minus that of `chosen_real`."""
        by_half = []
        for half in _HALVES:
            synthetic, real = self.chosen_synthetic[half], self.chosen_real[half]
            masks = [split.half == bool(half) for split in self.splits]
            pairs = zip(self.splits, masks, strict=True)
            by_half.append(
                [self._recalls(split, synthetic, mask) - self._recalls(split, real, mask) for split, mask in pairs]
            )
        found = _nan_mean(np.array(by_half))
        return [self._estimate(found[:, label]) for label in range(self.classes)]

    def class_recalls(self, arms: tuple[int, int]) -> Values:
        """Recall of each class by a pair of arms, averaged over splits and seeds, float64 [K]."""
        by_half = [
            [self._recalls(split, arms[half], split.half == bool(half)) for split in self.splits] for half in _HALVES
        ]
        return _nan_mean(_nan_mean(np.array(by_half)))

    def recommended(self) -> int:
        """The simplest arm that is not worse than the best by more than one standard error of their difference.

        Arms are in order of simplicity, those without synthetic images first (Breiman et al. 1984, section 3.4.3).
        A single split has no standard error; then an arm without synthetic images is recommended.
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

    def _estimate(self, differences: Values) -> Estimate:
        """The mean of differences of two shares, one for each split, with its interval."""
        return over_splits(differences.tolist(), self.held_out_share).within(-1.0, 1.0)

    def _level(self, arm: int) -> float:
        return float(np.nanmean(self.by_half[arm]))

    def _chosen(self, arms: Sequence[int]) -> tuple[int, int]:
        means = [_nan_mean(self.by_half[arm]) for arm in arms]
        first, second = (arms[int(np.argmax([mean[1 - half] for mean in means]))] for half in _HALVES)
        return first, second

    def _on_half(self, split: SplitPredictions, arm: int, half: int) -> float:
        mask = split.half == bool(half)
        found = [balanced_accuracy(split.labels[mask], predicted[mask]) for predicted in split.predictions[arm]]
        return float(np.mean(found))

    def _recalls(self, split: SplitPredictions, arm: int, mask: NDArray[np.bool_] | slice) -> Values:
        found = [recalls(split.labels[mask], predicted[mask], self.classes) for predicted in split.predictions[arm]]
        means: Values = np.array(found).mean(axis=0)
        return means

    def _mean(self, split: SplitPredictions, arm: int, score: Callable[[Labels, Labels], float]) -> float:
        return float(np.mean([score(split.labels, predicted) for predicted in split.predictions[arm]]))


def _nan_mean(values: Values) -> Values:
    """The mean over the first axis without NaN values; NaN where there are only such values."""
    known = np.isfinite(values)
    counts = known.sum(axis=0)
    return np.where(counts > 0, np.where(known, values, 0.0).sum(axis=0) / np.maximum(counts, 1), np.nan)
