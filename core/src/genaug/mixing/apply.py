"""Applies a recipe to synthetic images: which of them are used and what each weighs in the loss."""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from genaug.errors import UsageError
from genaug.mixing.recipe import RecipeConfig


class AppliedRecipe(NamedTuple):
    """keep: for each synthetic image, whether it is used. weights: the weight of each in the loss, used or not."""

    keep: list[bool]
    weights: list[float]


def apply_recipe(
    recipe: RecipeConfig,
    real_counts: Sequence[int],
    synthetic_labels: Sequence[int],
    scores: Sequence[float] | None = None,
) -> AppliedRecipe:
    """Apply the cap and the weights of a recipe to synthetic images in the order of candidates.

    real_counts: real training images of each class, in label order. scores: in [0, 1], one per synthetic image.
    Raises UsageError for a label without a count, or where the recipe needs scores and there are none.
    """
    _check(recipe, real_counts, synthetic_labels, scores)
    keep = _kept(recipe.cap, real_counts, synthetic_labels, scores)
    factors = scores if recipe.weight_by_score and scores is not None else [1.0] * len(keep)
    return AppliedRecipe(keep, [recipe.weight * float(factor) for factor in factors])


def overall_score(scores: Mapping[str, float]) -> float:
    """One score in [0, 1] from those of several selectors: the lowest; 1 where there are none."""
    return min(scores.values(), default=1.0)


def _kept(
    cap: float | None, real_counts: Sequence[int], labels: Sequence[int], scores: Sequence[float] | None
) -> list[bool]:
    """The best scores first; equal scores, and images without scores, in the order of candidates."""
    keep = [cap is None] * len(labels)
    if cap is None:
        return keep
    left = [_most(cap, count) for count in real_counts]
    for place in sorted(range(len(labels)), key=lambda place: 0.0 if scores is None else -scores[place]):
        keep[place] = left[labels[place]] > 0
        left[labels[place]] -= 1
    return keep


def _most(cap: float, count: int) -> int:
    """The cap as it is written: 0.29 of 100 is 29, although the nearest binary fraction is a little less."""
    return math.floor(Fraction(repr(cap)) * count)


def _check(
    recipe: RecipeConfig, real_counts: Sequence[int], labels: Sequence[int], scores: Sequence[float] | None
) -> None:
    if unknown := sorted({label for label in labels if not 0 <= label < len(real_counts)}):
        raise UsageError(f"labels of synthetic images must lie in [0, {len(real_counts)}), got {unknown}")
    if recipe.weight_by_score and scores is None and labels:
        raise UsageError("weight_by_score needs a score of every synthetic image; use a selector, or leave it out")
    if scores is not None and len(scores) != len(labels):
        raise UsageError(f"expected one score for each of {len(labels)} synthetic images, got {len(scores)}")
