"""What held-out images say about a mean: its variance from the images and from the trainings, and its interval."""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from genaug.significance import t_quantile, t_tail
from genaug.studies.statistics import Estimate

Values = NDArray[np.float64]
Rows = NDArray[np.int64]

# the factor of the variance for training sets that overlap: fitted by `benchmarks/calibration.py --kind A --factors`
OVERLAP = 1.4
_LEVEL = 0.05
_LEAST_SPLITS = 2
_FULL = 10  # groups of near-duplicates from which on a class has a variance of its own


@dataclass(frozen=True)
class HeldOut:
    """The images that the splits of a study hold out, one entry for each image and split, M in all.

    rows: int64 [M], the image. labels: int64 [M]. groups: int64 [M], its group of near-duplicates, which counts as one
    observation. splits: int64 [M], the split. repeats: int64 [J], the repeat of the cross-validation that each split
    belongs to. classes: their number, K.

    If every repeat has one split, the splits are repeated trainings that the same images score.
    """

    rows: Rows
    labels: Rows
    groups: Rows
    splits: Rows
    repeats: Rows
    classes: int

    def level(self, values: Values) -> float:
        """The mean over classes of the mean over images of one value per entry, float64 [M]; NaN without any image."""
        found = self.by_class(values)
        known = found[np.isfinite(found)]
        return float(known.mean()) if len(known) else math.nan

    def by_class(self, values: Values) -> Values:
        """The mean over the images of each class, float64 [K]; NaN for a class without images."""
        return _means(self._per_image(values), self._image_labels, self.classes)

    def within(self, mask: NDArray[np.bool_]) -> "HeldOut":
        """These entries alone, chosen by bool [M]."""
        rows, labels, groups, splits = (one[mask] for one in (self.rows, self.labels, self.groups, self.splits))
        return HeldOut(rows, labels, groups, splits, self.repeats, self.classes)

    def variance(self, values: Values) -> "Variance | None":
        """The variance of `level(values)`; None with fewer than two splits, or a single observation in each class.

        Image part: (1/K^2) sum of s_k^2 / n_k over the K classes, where n_k counts groups of near-duplicates. Below ten
        groups s_k^2 is shrunk towards the variance of all classes, and it is never zero. Training part: what the totals
        of the splits vary beyond the image part, at least zero; it falls with the number of repeats.
        """
        if len(np.unique(self.splits)) < _LEAST_SPLITS:
            return None
        images = _image_part(self._per_image(values), self._image_labels, self._image_groups)
        if images is None:
            return None
        parts, freedoms = images
        training, freedom = self._training_part(values)
        whole = float(parts.sum())
        bottom = float((parts**2 / freedoms).sum()) + training**2 / freedom
        factor = 1.0 if self.shared else OVERLAP
        return Variance(whole, training, (whole + training) ** 2 / bottom, factor)

    def _training_part(self, values: Values) -> tuple[float, int]:
        """The training part and its degrees of freedom, at least one."""
        if self.shared:
            levels = [self.within(self.splits == split).level(values[self.splits == split]) for split in self._done]
            return float(np.var(levels, ddof=1)) / len(levels), len(levels) - 1
        repeats = self.repeats[self.splits]
        found = [self.within(repeats == one)._excess(values[repeats == one]) for one in np.unique(repeats)]
        known = [(excess, freedom) for excess, freedom in found if freedom]
        if not known:
            return 0.0, 1
        return max(0.0, float(np.mean([excess for excess, _ in known]))) / len(known), sum(one for _, one in known)

    @property
    def shared(self) -> bool:
        """Whether all splits hold the same images: repeated trainings on all training images."""
        repeats = self.repeats[self._done]
        return len(repeats) > 1 and len(np.unique(repeats)) == len(repeats) and self._all_hold_all

    @property
    def _done(self) -> Rows:
        return np.unique(self.splits)

    @property
    def _all_hold_all(self) -> bool:
        return len(self.rows) == len(np.unique(self.rows)) * len(self._done)

    def _excess(self, values: Values) -> tuple[float, int]:
        """How much more the totals of the splits of one repeat vary than its images explain; degrees of freedom."""
        images, splits = _image_part(values, self.labels, self.groups), np.unique(self.splits)
        if images is None or len(splits) < _LEAST_SPLITS:
            return 0.0, 0
        counts = np.bincount(self.labels, minlength=self.classes)
        deviations = values - self.by_class(values)[self.labels]
        totals = np.bincount(self.splits, deviations / counts[self.labels])[splits] / np.count_nonzero(counts)
        between = len(splits) * float(np.var(totals, ddof=1))  # the totals of one repeat have the sum zero
        return between - float(images[0].sum()), len(splits) - 1

    @cached_property
    def _image_places(self) -> tuple[Rows, Rows]:
        """For each image its first entry, and for each entry the number of its image."""
        _, first, images = np.unique(self.rows, return_index=True, return_inverse=True)
        return first, images

    @property
    def _image_labels(self) -> Rows:
        return self.labels[self._image_places[0]]

    @property
    def _image_groups(self) -> Rows:
        return self.groups[self._image_places[0]]

    def _per_image(self, values: Values) -> Values:
        first, images = self._image_places
        return _means(values, images, len(first))


@dataclass(frozen=True)
class Variance:
    """The variance of a mean over held-out images.

    images: what the choice of images adds. trainings: what chance in the trainings adds. freedom: degrees of freedom
    of their sum, after Satterthwaite (1946, Biometrics Bulletin 2:110). factor: at least 1, for training sets that
    overlap.
    """

    images: float
    trainings: float
    freedom: float
    factor: float

    @property
    def half_width(self) -> float:
        """Half the width of the 95 % interval."""
        return t_quantile(1 - _LEVEL / 2, self.freedom) * self.error

    def estimate(self, mean: float) -> Estimate:
        """The mean with its interval and p-value."""
        p = 2 * t_tail(abs(mean) / self.error, self.freedom)
        return Estimate(mean, mean - self.half_width, mean + self.half_width, p)

    def with_splits(self, times: float) -> "Variance":
        """What is to be expected of `times` as many splits."""
        return replace(self, trainings=self.trainings / times)

    @property
    def error(self) -> float:
        """The standard error of the mean."""
        return math.sqrt(self.factor * (self.images + self.trainings))


def _image_part(values: Values, labels: Rows, groups: Rows) -> tuple[Values, Values] | None:
    """The share of each class that has images in the image part, float64 [K'], and its degrees of freedom.

    values, labels, groups: one for each image. None if no class has two groups.
    """
    present = np.unique(labels)
    squares, sizes = np.zeros(len(present)), np.zeros(len(present))
    for place, label in enumerate(present):
        own = labels == label
        deviations = (values[own] - values[own].mean()) / own.sum()
        totals = np.bincount(np.unique(groups[own], return_inverse=True)[1], deviations)
        sizes[place] = len(totals)
        squares[place] = len(totals) ** 2 * float((totals**2).sum())  # (n_k - 1) s_k^2
    freedom = float((sizes - 1).sum())
    if not freedom:
        return None
    least = 1 / (float(sizes.sum()) + 2)  # as if one more image differed
    prior = np.maximum(1, _FULL - sizes)
    spread = (squares + prior * float(squares.sum()) / freedom) / (sizes - 1 + prior)
    spread = np.maximum(spread, least)
    return spread / sizes / len(present) ** 2, np.maximum(1, sizes - 1)


def _means(values: Values, places: Rows, count: int) -> Values:
    sums, counts = np.bincount(places, values, count), np.bincount(places, minlength=count)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
