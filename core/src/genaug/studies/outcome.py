"""From predictions to differences between arms: one half of the images chooses an arm, the other half scores it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from genaug.studies.arms import Arm
from genaug.studies.held_out import HeldOut, Variance
from genaug.studies.scores import balanced_accuracy, macro_f1
from genaug.studies.statistics import Estimate, over_splits

Labels = NDArray[np.int64]
Values = NDArray[np.float64]
Halves = NDArray[np.bool_]
Pair = tuple[int, int]


@dataclass(frozen=True)
class SplitPredictions:
    """The predictions of all classifiers of one split.

    rows: int64 [N], the held-out images. labels: int64 [N]. half: bool [N], the half that each image belongs to.
    predictions: for each arm, in the order of the arms, one int64 [N] per seed. repeat: of the cross-validation.
    """

    rows: Labels
    labels: Labels
    half: Halves
    predictions: tuple[tuple[Labels, ...], ...]
    repeat: int


@dataclass(frozen=True)
class StudyOutcome:
    """All finished splits of a study. groups: int64, the group of near-duplicates of every image of the data.

    held_out_share: the mean share of the images that a split holds out.

    Methods take arms by their index. A pair of arms is scored half by half: its first arm on the images of half 0, its
    second arm on those of half 1. The balanced accuracy of an arm is the mean over classes of the share of right
    answers, averaged over seeds and repeats; a difference of two arms is a mean of the differences of single images.
    """

    arms: tuple[Arm, ...]
    classes: int
    splits: tuple[SplitPredictions, ...]
    groups: Labels
    held_out_share: float

    @cached_property
    def held_out(self) -> HeldOut:
        """The held-out images of all splits, one entry for each image and split, M in all."""
        rows = self._joined([split.rows for split in self.splits])
        sizes = [len(split.rows) for split in self.splits]
        return HeldOut(
            rows,
            self._joined([split.labels for split in self.splits]),
            self.groups[rows],
            np.repeat(np.arange(len(self.splits)), sizes),
            np.array([split.repeat for split in self.splits], np.int64),
            self.classes,
        )

    @cached_property
    def right(self) -> Values:
        """For each arm and entry the share of its classifiers that are right, float64 [A, M]."""
        return np.stack(
            [np.concatenate([self._right(one, arm) for one in self.splits]) for arm in range(len(self.arms))]
        )

    def accuracy(self, arm: int) -> Estimate:
        """Balanced accuracy on all held-out images, with its interval."""
        return self._estimate(self.right[arm]).within(0.0, 1.0)

    def f1(self, arm: int) -> Estimate:
        """The mean macro-F1 of the splits, with the interval of the corrected resampled t-test."""
        return self._over_splits([self._mean(split, arm, macro_f1) for split in self.splits]).within(0.0, 1.0)

    def recall(self, arm: int) -> Values:
        """Recall of each class, float64 [K]; NaN if none of its images is held out."""
        return self.held_out.by_class(self.right[arm])

    @cached_property
    def levels(self) -> Values:
        """Balanced accuracy of each arm on each half of the images, float64 [A, 2]; NaN for a half without images."""
        halves = [self._half == bool(number) for number in (0, 1)]
        parts = [(self.held_out.within(mask), mask) for mask in halves]
        return np.array([[part.level(values[mask]) for part, mask in parts] for values in self.right])

    @cached_property
    def chosen_real(self) -> Pair:
        """For each half, the arm without synthetic images that is best on the other half."""
        return self._chosen([index for index, arm in enumerate(self.arms) if not arm.synthetic])

    @cached_property
    def chosen_synthetic(self) -> Pair:
        """For each half, the arm with synthetic images that is best on the other half."""
        return self._chosen([index for index, arm in enumerate(self.arms) if arm.synthetic])

    def best(self, *, synthetic: bool) -> int:
        """The best arm with, or without, synthetic images on all held-out images."""
        return max((index for index, arm in enumerate(self.arms) if arm.synthetic == synthetic), key=self._level)

    def difference(self, arms: Pair, base: Pair | None = None) -> Estimate:
        """Balanced accuracy of a pair of arms minus that of another, which is `chosen_real` if left out."""
        return self._estimate(self._differences(arms, base)).within(-1.0, 1.0)

    def variance(self, arms: Pair) -> Variance | None:
        """The variance of the difference between a pair of arms and `chosen_real`; None if it is unknown."""
        return self.held_out.variance(self._differences(arms))

    def resampled(self, arms: Pair) -> Estimate:
        """The same difference as the mean of the splits, by the corrected resampled t-test."""
        return self._over_splits([self._split_difference(split, arms) for split in self.splits]).within(-1.0, 1.0)

    def class_differences(self) -> list[Estimate]:
        """For each class, the recall of `chosen_synthetic` minus that of `chosen_real`."""
        values = self._differences(self.chosen_synthetic)
        masks = [self.held_out.labels == label for label in range(self.classes)]
        return [self._estimate(values[mask], self.held_out.within(mask)).within(-1.0, 1.0) for mask in masks]

    def class_recalls(self, arms: Pair) -> Values:
        """Recall of each class by a pair of arms, float64 [K]."""
        return self.held_out.by_class(self._of_pair(arms))

    def recommended(self) -> int:
        """The simplest arm that is not worse than the best by more than one standard error of their difference.

        Arms are in order of simplicity, those without synthetic images first (Breiman et al. 1984, section 3.4.3).
        A single split has no standard error; then an arm without synthetic images is recommended.
        """
        best = max(range(len(self.arms)), key=self._level)
        if len(self.splits) < 2:
            return self.best(synthetic=False)
        for arm in range(best):
            lost = self.right[best] - self.right[arm]
            variance = self.held_out.variance(lost)
            if variance is not None and self.held_out.level(lost) <= variance.error:
                return arm
        return best

    @cached_property
    def _half(self) -> Halves:
        return np.concatenate([split.half for split in self.splits])

    def _of_pair(self, arms: Pair) -> Values:
        values: Values = np.where(self._half, self.right[arms[1]], self.right[arms[0]])
        return values

    def _differences(self, arms: Pair, base: Pair | None = None) -> Values:
        found: Values = self._of_pair(arms) - self._of_pair(base or self.chosen_real)
        return found

    def _estimate(self, values: Values, held_out: HeldOut | None = None) -> Estimate:
        images = held_out or self.held_out
        variance, mean = images.variance(values), images.level(values)
        return Estimate(mean, None, None) if variance is None else variance.estimate(mean)

    def _over_splits(self, values: Sequence[float]) -> Estimate:
        """The mean of one value per split; without an interval where all splits hold the same images."""
        found = over_splits(values, self.held_out_share)
        return Estimate(found.mean, None, None) if self.held_out.shared else found

    def _level(self, arm: int) -> float:
        return self.held_out.level(self.right[arm])

    def _chosen(self, arms: Sequence[int]) -> Pair:
        levels = np.nan_to_num(self.levels[list(arms)], nan=-1.0)
        first, second = (arms[int(levels[:, other].argmax())] for other in (1, 0))
        return first, second

    def _split_difference(self, split: SplitPredictions, arms: Pair) -> float:
        """The mean of both halves of one split; NaN if it holds no image of either."""
        found = [
            self._mean(split, arms[half], balanced_accuracy, split.half == bool(half))
            - self._mean(split, self.chosen_real[half], balanced_accuracy, split.half == bool(half))
            for half in (0, 1)
        ]
        known = [value for value in found if np.isfinite(value)]
        return float(np.mean(known)) if known else float("nan")

    def _right(self, split: SplitPredictions, arm: int) -> Values:
        shares: Values = np.mean([split.labels == predicted for predicted in split.predictions[arm]], axis=0)
        return shares

    def _mean(
        self,
        split: SplitPredictions,
        arm: int,
        score: Callable[[Labels, Labels], float],
        mask: Halves | slice = slice(None),
    ) -> float:
        return float(np.mean([score(split.labels[mask], one[mask]) for one in split.predictions[arm]]))

    def _joined(self, parts: Sequence[Labels]) -> Labels:
        return np.concatenate(parts).astype(np.int64)
