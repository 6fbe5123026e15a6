"""The verdict on one change, from what the same images are taken for before it and after it."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from genaug.probe.paired import chance_of_turning, holm, increase_interval

ALPHA = 0.05  # chance of banning a harmless change, over all its tests
HARM = 0.25  # a change that makes one class of another turns most images; judges that only find it new err on fewer
TOLERANCE = 0.1  # the most by which the error of an allowed change may rise, by its interval: the price of being new
ALL = "all images"

Verdict = Literal["safe", "banned", "unclear"]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Judgement:
    """One change of the images of one class, or of all: each judged as it is and changed.

    wrong: judged wrong as they are. turned: right as they are, wrong when changed; returned: the other way round.
    becomes: the class that most of the turned ones are taken for. adjusted: its p-value among those of all classes.
    judged: whether enough of them are judged right as they are; else the class inherits the verdict on all images.
    """

    name: str
    images: int
    wrong: int
    turned: int
    returned: int
    becomes: str | None
    judged: bool = True
    adjusted: float = 1.0
    verdict: Verdict = "unclear"

    @property
    def right(self) -> int:
        """Images judged right as they are: those that can turn."""
        return self.images - self.wrong

    @property
    def chance(self) -> float:
        """One-sided exact p-value of this class alone."""
        return chance_of_turning(self.turned, self.returned)

    @property
    def harmed(self) -> bool:
        """Whether a good part of what was right turns, and not by chance."""
        return self.turned - self.returned >= HARM * self.right and self.chance <= ALPHA

    @property
    def own_error(self) -> float:
        """Share judged wrong as they are."""
        return self.wrong / max(self.images, 1)

    @property
    def changed_error(self) -> float:
        """Share judged wrong when changed."""
        return self.own_error + self.increase

    @property
    def increase(self) -> float:
        """By how much the change raises the error."""
        return (self.turned - self.returned) / max(self.images, 1)

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the increase."""
        return increase_interval(self.turned, self.returned, self.images)

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        rates = {"own_error": self.own_error, "changed_error": self.changed_error, "increase": self.increase}
        return asdict(self) | rates | dict(zip(("low", "high"), self.interval, strict=True))


@dataclass(frozen=True)
class Finding:
    """What one change does: to all images together, and to each class."""

    change: str
    verdict: Verdict
    pooled: Judgement
    classes: tuple[Judgement, ...]

    @property
    def harmed(self) -> tuple[Judgement, ...]:
        """The classes that ban the change."""
        return tuple(one for one in self.classes if one.harmed and one.verdict == "banned")

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        classes = {one.name: one.to_json() for one in self.classes}
        return {"verdict": self.verdict, "pooled": self.pooled.to_json(), "classes": classes}


def weigh(change: str, classes: Sequence[str], labels: Labels, own: Labels, changed: Labels) -> Finding:
    """The verdict on one change from what images int64 [N] are, are taken for, and are taken for when changed.

    The tests of all classes, and the one of all images together, are one family: Holm adjusts for it.
    """
    parts = [(ALL, labels >= 0), *((name, labels == label) for label, name in enumerate(classes))]
    family = [_judgement(name, classes, labels[part], own[part], changed[part]) for name, part in parts]
    adjusted = holm([one.chance for one in family])
    pooled, *each = [replace(one, adjusted=value) for one, value in zip(family, adjusted, strict=True)]
    pooled = replace(pooled, verdict=_verdict(pooled))
    final = tuple(replace(one, verdict=_verdict_of_class(one, pooled)) for one in each)
    return Finding(change, _worst([pooled.verdict, *(one.verdict for one in final)]), pooled, final)


def least_right(classes: int) -> int:
    """How many images of a class must be judged right as they are, for its test to ban if all of them turned.

    All of n turned has p-value 2^-n, which Holm multiplies by the size of the family, at the most.
    """
    return math.ceil(math.log2((classes + 1) / ALPHA))


def _judgement(name: str, classes: Sequence[str], labels: Labels, own: Labels, changed: Labels) -> Judgement:
    turned = (own == labels) & (changed != labels)
    returned = (own != labels) & (changed == labels)
    became = np.bincount(changed[turned], minlength=len(classes))
    becomes = classes[int(became.argmax())] if turned.any() else None
    right = int((own == labels).sum())
    counts = len(labels), len(labels) - right, int(turned.sum()), int(returned.sum())
    return Judgement(name, *counts, becomes, judged=right >= least_right(len(classes)))


def _verdict(pooled: Judgement) -> Verdict:
    if pooled.harmed and pooled.adjusted <= ALPHA:
        return "banned"
    return "safe" if pooled.interval[1] < TOLERANCE else "unclear"


def _verdict_of_class(one: Judgement, pooled: Judgement) -> Verdict:
    """Harm bans once its own test, or the one of all images, holds among all tests. Too small a class inherits.

    Safe is what does not surely raise the error beyond the tolerance, and surely keeps half of what was right.
    """
    if one.harmed:
        return "banned" if min(one.adjusted, pooled.adjusted) <= ALPHA else "unclear"
    if not one.judged:
        return pooled.verdict
    low, high = one.interval
    return "safe" if low < TOLERANCE and high < (1 - one.own_error) / 2 else "unclear"


def _worst(verdicts: Sequence[Verdict]) -> Verdict:
    return max(verdicts, key=("safe", "unclear", "banned").index)
