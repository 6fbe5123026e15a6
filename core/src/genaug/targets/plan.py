"""Turns the keys per_class, balance and targets of a configuration into {class: number of new images}."""

import math
from collections.abc import Mapping
from statistics import median
from typing import Self

from pydantic import model_validator

from genaug.config import Closed, option
from genaug.errors import UsageError, unknown

MOST_IMAGES = 1_000_000


class MixConfig(Closed):
    """The number of new images of each class, stated by at most one of the three keys."""

    per_class: int | None = option(None, "Number of new images for every class.", unit="images", ge=0, le=1_000_000)
    balance: str | None = option(
        None, "Fill every class up to max, median, a number of images, or a ratio of the largest class such as 0.5."
    )
    targets: dict[str, int] | None = option(
        None, "Number of new images by class name; other classes get none.", unit="images"
    )

    @model_validator(mode="after")
    def _at_most_one_key(self) -> Self:
        given = [name for name in ("per_class", "balance", "targets") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"expected one of per_class, balance, targets, got {' and '.join(given)}")
        return self


def new_images(counts: Mapping[str, int], mix: MixConfig) -> dict[str, int]:
    """The number of new images of each class, in the order of `counts`, the numbers of real images.

    If none of the keys is given, every class is filled up to the largest one.
    Raises UsageError for an invalid balance, an unknown class, or more than MOST_IMAGES new images in total.
    """
    if mix.per_class is not None:
        plan = dict.fromkeys(counts, mix.per_class)
    elif mix.targets is not None:
        plan = _by_table(counts, mix.targets)
    else:
        goal = _goal(counts, "max" if mix.balance is None else mix.balance)
        plan = {name: max(0, goal - count) for name, count in counts.items()}
    if (total := sum(plan.values())) > MOST_IMAGES:
        raise UsageError(f"expected at most {MOST_IMAGES:,} new images in total, got {total:,}; give a smaller number")
    return plan


def _by_table(counts: Mapping[str, int], table: Mapping[str, int]) -> dict[str, int]:
    for name, number in table.items():
        if name not in counts:
            raise unknown("class in targets", name, counts)
        if number < 0:
            raise UsageError(f"targets.{name}: expected 0 or more new images, got {number}")
    return {name: table.get(name, 0) for name in counts}


def _goal(counts: Mapping[str, int], balance: str) -> int:
    """Total images that each class should have, from max, median, a whole number, or a ratio of the largest class."""
    if balance == "max":
        return max(counts.values())
    if balance == "median":
        return math.ceil(median(counts.values()))
    if balance.isascii() and balance.isdigit():
        return int(balance)
    try:
        ratio = float(balance)
    except ValueError:
        ratio = math.nan
    if not 0.0 < ratio <= 1.0:
        raise UsageError(f"balance: expected max, median, a number of images or a ratio in (0, 1], got {balance!r}")
    return math.ceil(ratio * max(counts.values()))
