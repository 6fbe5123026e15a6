"""The fields of the files of a run that the page shows. Other fields of these files are ignored."""

from functools import cached_property
from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, PlainValidator

from genaug.mixing.apply import overall_score
from genaug.output.files import is_inside


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("expected a text")
    return value


def _name(value: Any) -> str:
    if not is_inside(_text(value)):
        raise ValueError("expected the name of a file in the output")
    return str(value)


Text = Annotated[str, PlainValidator(_text)]  # pydantic's own str refuses file names that are not UTF-8
FileName = Annotated[str, PlainValidator(_name)]  # relative to OUT
Scores = dict[Text, float]


class Record(BaseModel):
    """Plain values of a file, checked when they are read."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, protected_namespaces=())


class TrainedModel(Record):
    """A trained model. model: its file. label: its class; None for one model of all classes."""

    model: FileName
    generator: Text
    label: Text | None = Field(alias="class")
    steps: int

    @property
    def training_file(self) -> str:
        """The JSON file beside the model, which holds its losses."""
        return PurePosixPath(self.model).with_suffix(".json").as_posix()


class DetectabilityRecord(Record):
    """How well generated images can be told from real ones, in words."""

    sentence: Text


class RunRecord(Record):
    """The record of a run.

    shares: the images of each class that each generator had to draw; without what tops up or fills up.
    manual_rejections: `<class>/<file>` of the images that a person rejected before this run.
    """

    genaug: Text
    format: Text
    classes: tuple[Text, ...]
    models: tuple[TrainedModel, ...] = Field(alias="fits")
    shares: dict[Text, dict[Text, int]] = {}
    only_synthetic: bool
    size: tuple[int, int]
    resize: Text
    data: Text
    written: dict[Text, Text]
    filled_up: dict[Text, int] = {}
    shortfall: dict[Text, int] = {}
    refused: dict[Text, Text] = {}
    failures: dict[Text, Text] = {}
    findings: tuple[Text, ...] = ()
    detectability: DetectabilityRecord | None = None
    manual_rejections: tuple[Text, ...] = Field((), alias="rejected_by_hand")

    @cached_property
    def manual_rejection_list(self) -> list[str]:
        """The same images by the names that `genaug run --reject` reads: `train/<class>/<file>`."""
        return [f"train/{name}" for name in self.manual_rejections]


class NearestImage(Record):
    """The real image that is most similar to a synthetic one. distance: in [0, 2], 0 for equal images."""

    file_name: Text
    distance: float


class ImageRecord(Record):
    """A line of the provenance. shard: the file that holds the image; None if the image has a file of its own."""

    file_name: Text
    split: Text
    label: Text
    synthetic: bool
    tops_up: bool = False
    generator: Text = ""
    scores: Scores = {}
    weight: float = 1.0
    parents: tuple[Text, ...] = ()
    nearest: NearestImage | None = None
    shard: Text | None = None

    @property
    def score(self) -> float:
        """The lowest of its scores; 1 without scores."""
        return overall_score(self.scores)


class SheetPlace(Record):
    """Where a contact sheet shows a rejected candidate. box: left, top, right, bottom in pixels."""

    file: Text
    box: tuple[int, int, int, int]


class CopiedImage(Record):
    """The training image that a rejected candidate copies. name: in the training folder of DATA."""

    name: Text
    label: Text = Field(alias="class")
    picture: SheetPlace | None = None


class RejectionRecord(Record):
    """The record of a rejected candidate. picture: None if no contact sheet shows the candidate.

    copied: None unless it was rejected as a copy of a training image.
    """

    generator: Text
    label: Text = Field(alias="class")
    index: int
    selector: Text
    reason: Text
    scores: Scores = {}
    picture: SheetPlace | None = None
    copied: CopiedImage | None = None


class ClassCount(Record):
    """Numbers of training images of one class: real ones, classical variants or copies of them, and generated ones.

    Layout 1 counted classical and generated images together, as `synthetic`.
    """

    real: int
    classical: int = 0
    generated: int = Field(validation_alias=AliasChoices("generated", "synthetic"))


class ClassCounts(Record):
    """The images of each class. counts: by class name."""

    counts: dict[Text, ClassCount]


class TrainingTime(Record):
    """How long the training of a model took. reused: whether an earlier run had already trained it."""

    model: Text
    seconds: float
    reused: bool


class Timings(Record):
    """How long a run took, and on which machine."""

    started: Text
    seconds: float
    stages: dict[Text, float] = Field(default_factory=dict)  # outputs of 0.1.0 may lack it
    workers: int
    host: dict[Text, Text]
    models: tuple[TrainingTime, ...] = Field(alias="fits")


class TrainingRecord(Record):
    """The JSON file beside a model. losses: (step, {network: loss}); a loss may be infinite or not a number."""

    model_config = ConfigDict(allow_inf_nan=True)

    losses: tuple[tuple[int, dict[Text, float | None]], ...] = ()


class MetricValue(Record):
    """A value with its 95 % interval; None for what could not be computed."""

    value: float | None
    low: float | None
    high: float | None


class MetricRow(MetricValue):
    """A row of the evaluation.

    real: the baseline, the value of `real_images` real images in place of the synthetic ones.
    matched: the value of equally many synthetic images, for metrics that depend on the number of images.
    images: number of images that the value counts. few: classes with too few images for a reliable value.
    """

    name: Text
    higher_is_better: bool
    few: tuple[Text, ...] = ()
    real: float | None
    real_images: int
    matched: float | None
    images: int
    note: Text
    classes: dict[Text, MetricValue]


class Evaluation(Record):
    """The evaluation. provenance: SHA-256 of the provenance file at the time of the evaluation."""

    provenance: Text
    features: Text
    note: Text
    rows: tuple[MetricRow, ...]
