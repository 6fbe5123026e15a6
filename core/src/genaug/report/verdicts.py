"""What the page reads from study.json: arms, verdicts, and how sure they are."""

from typing import Literal

from pydantic import Field

from genaug.report.records import Record, Text

Verdict = Literal["helps", "no evidence", "harms"]


class Estimate(Record):
    """A mean with its 95 % interval; None where there are too few splits for one."""

    mean: float
    low: float | None
    high: float | None


class Difference(Record):
    """An arm against the best real-only one, with its 95 % interval; None where too little was held out."""

    mean: float | None
    low: float | None
    high: float | None
    p: float | None = None
    verdict: Verdict | None = None


class StudyArm(Record):
    """One way to train."""

    name: Text
    kind: Literal["real", "synthetic"]
    generator: Text | None
    count: int | None
    balanced_accuracy: Estimate
    macro_f1: Estimate
    difference: Difference | None


class Headline(Record):
    """The answer to the question whether synthetic images help."""

    verdict: Verdict
    sentence: Text
    difference: Difference


class StudyClass(Record):
    """Recall of one class, of the best real-only and the best synthetic arm."""

    label: Text = Field(alias="class")
    images: int
    real: float | None
    synthetic: float | None
    difference: Difference
    p: float | None
    verdict: Verdict


class Recommendation(Record):
    """What to train with."""

    arm: Text
    synthetic: bool
    sentence: Text


class Scored(Record):
    """An arm on the test split."""

    arm: Text
    balanced_accuracy: float


class HeldOut(Record):
    """What the test split said. uses: how often it has been looked at."""

    images: int
    uses: int
    real: Scored
    synthetic: Scored
    recommended: Scored
    difference: Estimate
    sentence: Text


class FigurePoint(Record):
    """Accuracy with so many synthetic images per class."""

    generator: Text
    arm: Text
    count: int
    balanced_accuracy: Estimate


class Splits(Record):
    """How often the images were split. held_out_share: of the images, in each split."""

    folds: int
    repeats: int
    done: int
    planned: int
    held_out_share: float


class StudyData(Record):
    """What was studied."""

    classes: tuple[Text, ...]
    counts: tuple[int, ...]
    size: tuple[int, int]
    images: int


class Cost(Record):
    """Time that it took."""

    seconds: float
    seconds_per_split: float | None


class MadeOnAverage(Record):
    """What a generator gave in a split. missing: of the plan. failures: classes that failed, in all splits."""

    generator: Text
    images: float
    missing: float
    failures: int


class Study(Record):
    """study.json."""

    format: Literal[1]
    genaug: Text
    data: StudyData
    classifier: Text
    steps: int
    seeds: int
    splits: Splits
    arms: tuple[StudyArm, ...]
    headline: Headline
    classes: tuple[StudyClass, ...]
    recommendation: Recommendation
    certainty: Text
    test: HeldOut | None
    figure: tuple[FigurePoint, ...]
    made: tuple[MadeOnAverage, ...] = ()
    notes: tuple[Text, ...] = ()
    cost: Cost
