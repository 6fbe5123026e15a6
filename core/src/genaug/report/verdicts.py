"""The fields of a study's result that the page shows: ways to train (arms), verdicts and their certainty."""

from typing import Annotated, Literal

from pydantic import Field

from genaug.report.records import Record, Text

StudyVerdict = Literal["helps", "no evidence", "harms"]


class EstimateRecord(Record):
    """A mean with its 95 % interval; the interval is None if there are too few splits for one."""

    mean: float
    low: float | None
    high: float | None


class Difference(Record):
    """An arm minus the best real-only arm, with its 95 % interval; None if too few images were held out."""

    mean: float | None
    low: float | None
    high: float | None
    p: float | None = None
    verdict: StudyVerdict | None = None


class StudyArm(Record):
    """One way to train a classifier. kind: whether it uses synthetic images. count: synthetic images per class."""

    name: Text
    kind: Literal["real", "synthetic"]
    generator: Text | None
    count: int | None
    balanced_accuracy: EstimateRecord
    macro_f1: EstimateRecord
    difference: Difference | None


class Headline(Record):
    """The answer to the question whether synthetic images help.

    without: sentences about training without synthetic images. estimand: what exactly a difference is.
    """

    verdict: StudyVerdict
    sentence: Text
    without: tuple[Text, ...]
    estimand: Text
    difference: Difference


class StudyClass(Record):
    """Recall of one class with the best real-only and the best synthetic arm; None if no image was held out."""

    label: Text = Field(alias="class")
    images: int
    real: float | None
    synthetic: float | None
    difference: Difference
    p: float | None
    verdict: StudyVerdict


class Recommendation(Record):
    """The arm to train with. synthetic: whether it uses synthetic images."""

    arm: Text
    synthetic: bool
    sentence: Text


class FinalTestScore(Record):
    """The score of an arm on the test split."""

    arm: Text
    balanced_accuracy: float


class FinalTestResult(Record):
    """The scores of the chosen arms on the test split. uses: how many times studies have used the test split."""

    images: int
    uses: int
    real: FinalTestScore
    synthetic: FinalTestScore
    recommended: FinalTestScore
    difference: EstimateRecord
    sentence: Text


class FigurePoint(Record):
    """Balanced accuracy with `count` synthetic images per class. generator: the name of the line it belongs to."""

    generator: Text
    arm: Text
    count: int
    balanced_accuracy: EstimateRecord


class Splits(Record):
    """How the images were split. on: what scored the classifiers, folds of the training images or the test split.

    images: the number of images that scored. held_out_share: share of the images that each split holds out.
    """

    on: Literal["folds", "split"]
    images: int
    folds: int
    repeats: int
    done: int
    planned: int
    held_out_share: float


class StudyData(Record):
    """The data set of the study. counts: images of each class."""

    classes: tuple[Text, ...]
    counts: tuple[int, ...]
    size: tuple[int, int]
    images: int


class StudyCost(Record):
    """How long the study took. seconds_per_split: None if no split was computed by this command."""

    seconds: float
    seconds_per_split: float | None


class GeneratorYield(Record):
    """What a generator delivered. images, missing: accepted images and images short of the plan, per split on average.

    failures: number of classes that failed, summed over the splits.
    """

    generator: Text
    images: float
    missing: float
    failures: int


class LengthPoint(Record):
    """Balanced accuracy on held-out training images after so many steps."""

    steps: int
    balanced_accuracy: float


class StudyLength(Record):
    """How many steps every classifier was trained for. curve: what was measured to choose them; empty if fixed."""

    sentence: Text
    curve: tuple[LengthPoint, ...]


class SuspectedLabel(Record):
    """A training image that no classifier assigns to its own class. file: in the training folder of DATA.

    classifiers: those that judged it without having seen it. agreeing: those of them that say `predicted`. picture: a
    PNG in base64; None beyond the first ones.
    """

    file: Text
    label: Text = Field(alias="class")
    predicted: Text
    classifiers: int
    agreeing: int
    picture: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]+=*$")] | None = None


class Study(Record):
    """The result of a study."""

    format: Literal[2]
    genaug: Text
    data: StudyData
    classifier: Text
    steps: int
    seeds: int
    length: StudyLength
    splits: Splits
    arms: tuple[StudyArm, ...]
    headline: Headline
    classes: tuple[StudyClass, ...]
    recommendation: Recommendation
    certainty: Text
    test: FinalTestResult | None
    figure: tuple[FigurePoint, ...]
    yields: tuple[GeneratorYield, ...] = Field((), alias="made")
    notes: tuple[Text, ...] = ()
    suspects: tuple[SuspectedLabel, ...] = ()
    cost: StudyCost
