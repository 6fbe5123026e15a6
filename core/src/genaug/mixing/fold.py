"""Which synthetic images a recipe keeps and what each weighs: the same for a folder and for training live."""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from genaug.errors import UsageError, unknown
from genaug.mixing.recipe import RecipeConfig


class Fold(NamedTuple):
    """keep: for each synthetic image whether it stays. weights: of each in the loss, kept or not."""

    keep: list[bool]
    weights: list[float]


def fold(
    recipe: RecipeConfig,
    real_counts: Mapping[str, int],
    synthetic_labels: Sequence[str],
    scores: Sequence[float] | None = None,
) -> Fold:
    """Apply the cap and the weights of a recipe to synthetic images in the order of candidates.

    real_counts: real training images by class. scores: in [0, 1], one per synthetic image.
    Raises UsageError for a class without a count, or where the recipe needs scores and there are none.
    """
    _check(recipe, real_counts, synthetic_labels, scores)
    keep = _kept(recipe.cap, real_counts, synthetic_labels, scores)
    factors = scores if recipe.weight_by_score and scores is not None else [1.0] * len(keep)
    return Fold(keep, [recipe.weight * float(factor) for factor in factors])


def overall_score(scores: Mapping[str, float]) -> float:
    """One score in [0, 1] from those of several selectors: the lowest, and 1 without any."""
    return min(scores.values(), default=1.0)


def _kept(
    cap: float | None, real_counts: Mapping[str, int], labels: Sequence[str], scores: Sequence[float] | None
) -> list[bool]:
    """Best scores first, ties and images without scores in the order of candidates."""
    keep = [cap is None] * len(labels)
    if cap is None:
        return keep
    left = {name: _most(cap, count) for name, count in real_counts.items()}
    for place in sorted(range(len(labels)), key=lambda place: 0.0 if scores is None else -scores[place]):
        keep[place] = left[labels[place]] > 0
        left[labels[place]] -= 1
    return keep


def _most(cap: float, count: int) -> int:
    """The cap as it is written: 0.29 of 100 are 29, though the nearest binary fraction is a little less."""
    return math.floor(Fraction(repr(cap)) * count)


def _check(
    recipe: RecipeConfig, real_counts: Mapping[str, int], labels: Sequence[str], scores: Sequence[float] | None
) -> None:
    for name in sorted(set(labels) - set(real_counts)):
        raise unknown("class of a synthetic image", name, real_counts)
    if recipe.weight_by_score and scores is None and labels:
        raise UsageError("weight_by_score needs a score of every synthetic image; use a selector, or leave it out")
    if scores is not None and len(scores) != len(labels):
        raise UsageError(f"expected one score for each of {len(labels)} synthetic images, got {len(scores)}")
