"""Scores of predictions on held-out images: balanced accuracy, macro-F1, recall of each class."""

import math

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]


def recalls(labels: Labels, predictions: Labels, classes: int) -> NDArray[np.float64]:
    """Recall of each class, float64 [K]; NaN for a class without images."""
    right = np.bincount(labels[labels == predictions], minlength=classes)
    images = np.bincount(labels, minlength=classes)
    return np.where(images > 0, right / np.maximum(images, 1), np.nan)


def balanced_accuracy(labels: Labels, predictions: Labels) -> float:
    """The mean recall of the classes that have images; NaN without any image."""
    found = recalls(labels, predictions, int(max(labels.max(initial=0), predictions.max(initial=0))) + 1)
    known = found[np.isfinite(found)]
    return float(known.mean()) if len(known) else math.nan


def macro_f1(labels: Labels, predictions: Labels) -> float:
    """The mean F1 of the classes that have images or are predicted; NaN without any image."""
    if not len(labels):
        return math.nan
    from sklearn.metrics import f1_score

    present = np.union1d(labels, predictions)
    return float(f1_score(labels, predictions, labels=present, average="macro", zero_division=0))
