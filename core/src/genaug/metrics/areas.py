"""How well a score tells two kinds of images apart within classes: the area under the ROC curve, with its interval."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from genaug.metrics.intervals import Interval, wilson_interval

LEAST = 5

Numbers = NDArray[np.float64]
Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Area:
    """Area under the ROC curve within classes, averaged over classes.

    value: in [0.5, 1], the larger of a and 1 - a, where a is the average. rising: whether positive images have the
    larger scores. classes: the area within each class by label, turned as the average is, so it may be below 0.5.
    """

    value: float
    interval: Interval
    rising: bool
    classes: dict[int, float] = field(default_factory=dict)


def comparable_classes(labels: Rows, positive: Mask) -> Rows:
    """The labels, sorted, of the classes with at least five positive and five negative images."""
    kinds = [set(np.flatnonzero(np.bincount(labels[mask]) >= LEAST).tolist()) for mask in (positive, ~positive)]
    return np.array(sorted(kinds[0] & kinds[1]), dtype=np.int64)


def area_within_classes(
    scores: Numbers, positive: Mask, labels: Rows, groups: Rows, folds: Rows | None = None
) -> Area | None:
    """The area of scores [N], or None if no class has five positive and five negative images.

    groups: [N], images of one group are not independent. folds: [N], scores of different folds are not compared.
    The area of a class is the share of its pairs of a positive and a negative image in which the positive one has the
    larger score, ties counted half (Mann and Whitney 1947). Its variance is that of the jackknife over groups, which
    for independent images agrees with DeLong et al. (1988) and counts related ones as Obuchowski (1997) does. The
    interval is Wilson's, with the number of independent verdicts that would have this variance, at most the number of
    groups: so it keeps a width if all pairs are in the right order.
    """
    folds = np.zeros_like(labels) if folds is None else folds
    areas, variances, sizes = {}, [], []
    for label in comparable_classes(labels, positive).tolist():
        yes, no = (np.flatnonzero((labels == label) & mask) for mask in (positive, ~positive))
        allowed = (folds[yes][:, None] == folds[no]).astype(np.float64)
        if not allowed.any():
            continue
        wins = allowed * (np.sign(scores[yes][:, None] - scores[no]) + 1) / 2
        areas[label] = float(wins.sum() / allowed.sum())
        variances.append(_variance(wins, allowed, groups[yes], groups[no]))
        sizes.append(len(np.unique(groups[yes])) + len(np.unique(groups[no])))
    if not areas:
        return None
    average = float(np.mean([*areas.values()]))
    most, variance = len(areas) ** 2 / sum(1 / size for size in sizes), sum(variances) / len(areas) ** 2
    interval = wilson_interval(average, min(most, average * (1 - average) / variance) if variance else most)
    if average >= 0.5:
        return Area(average, interval, rising=True, classes=areas)
    turned = {label: 1 - area for label, area in areas.items()}
    return Area(1 - average, Interval(1 - interval.high, 1 - interval.low), rising=False, classes=turned)


def _variance(wins: Numbers, allowed: Numbers, rows: Rows, columns: Rows) -> float:
    """Jackknife variance of wins.sum() / allowed.sum(), both [n, m], over the groups of rows [n] and columns [m]."""
    groups = np.unique([*rows, *columns])
    of_rows, of_columns = ((groups[:, None] == own).astype(np.float64) for own in (rows, columns))
    without = [
        values.sum()
        - of_rows @ values.sum(axis=1)
        - of_columns @ values.sum(axis=0)
        + ((of_rows @ values) * of_columns).sum(axis=1)
        for values in (wins, allowed)
    ]
    known = without[1] > 0.5
    areas = without[0][known] / without[1][known]
    return float((len(areas) - 1) * areas.var()) if len(areas) else 0.0
