"""The verdict on one change, from the predicted classes of the same images before and after it."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from genaug.probe.paired import increase_interval, mcnemar_p_value
from genaug.significance import holm

ALPHA = 0.05  # probability of banning a harmless change, over all of its tests
HARM = 0.25  # share of images; a change of class turns most of them, a change that is only new to the judges fewer
TOLERANCE = 0.1  # largest rise of the error, by its interval, that is attributed to the change being new to the judges
ALL = "all images"

Verdict = Literal["safe", "banned", "unclear"]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Judgement:
    """The effect of one change on the images of one class, or on all images.

    images: number of images. wrong: those misclassified unchanged.
    turned: those classified right unchanged and wrong changed. returned: wrong unchanged and right changed.
    becomes: the class that most turned images are assigned to; None if no image turned.
    judged: whether enough images are right unchanged for a test; if not, the class inherits the verdict on all images.
    adjusted: the p-value adjusted for the tests of all classes.
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
        """Number of images that are classified right unchanged; only these can turn."""
        return self.images - self.wrong

    @property
    def p_value(self) -> float:
        """The one-sided exact p-value, not adjusted."""
        return mcnemar_p_value(self.turned, self.returned)

    @property
    def harmed(self) -> bool:
        """Whether at least the share HARM of the right images is lost, and the loss is significant by itself."""
        return self.turned - self.returned >= HARM * self.right and self.p_value <= ALPHA

    @property
    def own_error(self) -> float:
        """Share of images misclassified unchanged."""
        return self.wrong / max(self.images, 1)

    @property
    def changed_error(self) -> float:
        """Share of images misclassified when changed."""
        return self.own_error + self.increase

    @property
    def increase(self) -> float:
        """The error when changed minus the error unchanged."""
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
class ChangeFinding:
    """The effect of one change on all images together (pooled) and on each class."""

    change: str
    verdict: Verdict
    pooled: Judgement
    classes: tuple[Judgement, ...]

    @property
    def harmed(self) -> tuple[Judgement, ...]:
        """The classes because of which the change is banned."""
        return tuple(one for one in self.classes if one.harmed and one.verdict == "banned")

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        classes = {one.name: one.to_json() for one in self.classes}
        return {"verdict": self.verdict, "pooled": self.pooled.to_json(), "classes": classes}


def weigh(change: str, classes: Sequence[str], labels: Labels, own: Labels, changed: Labels) -> ChangeFinding:
    """The verdict on one change.

    labels, own, changed: int64 [N], the class of each image and its predicted class unchanged and changed.
    The p-values of all classes and of all images together are adjusted by Holm.
    """
    parts = [(ALL, labels >= 0), *((name, labels == label) for label, name in enumerate(classes))]
    tests = [_judgement(name, classes, labels[part], own[part], changed[part]) for name, part in parts]
    adjusted = holm([one.p_value for one in tests])
    pooled, *each = [replace(one, adjusted=value) for one, value in zip(tests, adjusted, strict=True)]
    pooled = replace(pooled, verdict=_verdict(pooled))
    final = tuple(replace(one, verdict=_verdict_of_class(one, pooled)) for one in each)
    return ChangeFinding(change, _worst([pooled.verdict, *(one.verdict for one in final)]), pooled, final)


def least_right(classes: int) -> int:
    """Smallest number of right images with which a class can ban a change: the case in which all of them turn.

    If all of n images turn, the p-value is 2^-n; Holm multiplies it by at most the number of tests, classes + 1.
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
    """A harmed class bans the change if its own test, or that of all images, is significant after the adjustment.

    A class with too few right images inherits the verdict on all images. Another class is safe if its interval does not
    lie above TOLERANCE and excludes the loss of half of the right images.
    """
    if one.harmed:
        return "banned" if min(one.adjusted, pooled.adjusted) <= ALPHA else "unclear"
    if not one.judged:
        return pooled.verdict
    low, high = one.interval
    return "safe" if low < TOLERANCE and high < (1 - one.own_error) / 2 else "unclear"


def _worst(verdicts: Sequence[Verdict]) -> Verdict:
    return max(verdicts, key=("safe", "unclear", "banned").index)
