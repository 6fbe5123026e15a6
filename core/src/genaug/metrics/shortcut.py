"""How much the origin of an image, real or generated, tells about its class: mutual information in bits."""

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.float64]


def mutual_information(table: Table) -> float:
    """I(row; column) in bits of a table of counts, float [K, L] of values from 0 on (Cover and Thomas 2006, eq. 2.28).

    The sum over cells of p(k, l) log2(p(k, l) / (p(k) p(l))); 0 for a table without counts.
    """
    if not table.sum():
        return 0.0
    joint = table / table.sum()
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    some = joint > 0
    return max(0.0, float((joint[some] * np.log2(joint[some] / independent[some])).sum()))


def shortcut_risk(table: Table, sensitivity: float, specificity: float) -> float:
    """I(class; detected origin) in bits: what a classifier can learn about the class by recognising generated images.

    table: counts float [K, 2] by class and origin, the real side first. sensitivity: share of generated images that are
    detected, specificity: share of the real side that is not, both within classes. The detected table is
    table @ [[specificity, 1 - specificity], [1 - sensitivity, sensitivity]]. The risk is 0 if origin is undetectable
    (sensitivity + specificity at most 1) or independent of the class, and I(class; origin) if it is certain.
    """
    if sensitivity + specificity <= 1:
        return 0.0
    detected = np.array([[specificity, 1 - specificity], [1 - sensitivity, sensitivity]])
    return mutual_information(table @ detected)
