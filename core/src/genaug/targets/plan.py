"""Turns the keys per_class, balance, targets and top_up of a configuration into numbers of new images by class."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal, Self

from pydantic import field_validator, model_validator

from genaug.config import Closed, option
from genaug.errors import UsageError, shown, unknown
from genaug.overrides import numbers

MOST_IMAGES = 1_000_000
REAL_PER_GENERATED = 3  # of an even mix: images of the real side for each generated image


class MixConfig(Closed):
    """The number of new images of each class, stated by at most one of per_class, balance and targets.

    Without any of them the mix is even: every class gets the same number of real and classical images together, and the
    same number of generated ones, so that nothing about an image's origin tells its class.
    """

    per_class: int | None = option(None, "Number of new images for every class.", unit="images", ge=0, le=1_000_000)
    balance: str | None = option(
        None,
        "Fill every class up to max, median, a number of images, or a ratio of the largest class such as 0.5; real "
        "images and those of top_up count.",
    )
    targets: dict[str, int] | None = option(
        None, "Number of new images by class name; other classes get none.", unit="images"
    )
    top_up: Literal["classical", "oversample", "none"] | None = option(
        None,
        "Bring the real side of every class to the size of the largest one, with classical variants of real images or "
        "with copies, before generated images are added; if left out, classical without a target, else none.",
    )

    @field_validator("balance", mode="before")
    @classmethod
    def _number_as_text(cls, balance: Any) -> Any:
        """Accepts numbers, as a file holds them."""
        return str(balance) if isinstance(balance, int | float) else balance

    @field_validator("targets", mode="before")
    @classmethod
    def _by_class(cls, targets: Any) -> Any:
        """Accepts a text as on the command line: stop=40,yield=10."""
        return numbers(targets) if isinstance(targets, str) else targets

    @model_validator(mode="after")
    def _at_most_one_key(self) -> Self:
        given = [name for name in ("per_class", "balance", "targets") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"expected one of per_class, balance, targets, got {' and '.join(given)}")
        return self


@dataclass(frozen=True)
class ImagePlan:
    """New images by class: those that bring the real side to the largest class, and those of the generators."""

    top_up: dict[str, int]
    generated: dict[str, int]

    @property
    def total(self) -> dict[str, int]:
        """All new images by class."""
        return {name: self.top_up[name] + count for name, count in self.generated.items()}


def plan_images(counts: Mapping[str, int], mix: MixConfig, *, evenly: bool = True) -> ImagePlan:
    """The number of new images of each class, in the order of `counts`, the numbers of real images.

    evenly: what to do where no key is given: an even mix, with one generated image for three of the real side in every
    class; or, for generators whose images are variants of real ones, to fill every class up to the largest.
    Raises UsageError for an invalid balance, an unknown class, or more than MOST_IMAGES new images in total.
    """
    given = mix.per_class is not None or mix.targets is not None or mix.balance is not None
    kind = mix.top_up or ("none" if given or not evenly else "classical")
    largest = max(counts.values())
    top_up = {name: 0 if kind == "none" else largest - count for name, count in counts.items()}
    if mix.per_class is not None:
        generated = dict.fromkeys(counts, mix.per_class)
    elif mix.targets is not None:
        generated = _by_table(counts, mix.targets)
    elif evenly and not given and kind != "none":
        generated = dict.fromkeys(counts, math.ceil(largest / REAL_PER_GENERATED))
    else:
        goal = _goal(counts, "max" if mix.balance is None else mix.balance)
        generated = {name: max(0, goal - count - top_up[name]) for name, count in counts.items()}
    plan = ImagePlan(top_up, generated)
    if (total := sum(plan.total.values())) > MOST_IMAGES:
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
        raise UsageError(
            f"balance: expected max, median, a number of images or a ratio in (0, 1], got {shown(balance)}"
        )
    return math.ceil(ratio * max(counts.values()))
