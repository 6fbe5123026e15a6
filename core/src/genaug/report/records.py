"""What the page reads from the files of an output; whatever else stands in them is passed over."""

from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainValidator

from genaug.mixing.fold import overall_score


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("expected a text")
    return value


Text = Annotated[str, PlainValidator(_text)]  # pydantic's own kind refuses file names that are not UTF-8
Scores = dict[Text, float]


class Record(BaseModel):
    """Plain values of a file, checked when they are read."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, protected_namespaces=())


class Fit(Record):
    """A trained model. label: its class, None for a model of all."""

    model: Text
    generator: Text
    label: Text | None = Field(alias="class")
    steps: int

    @property
    def record(self) -> str:
        """The file beside the model."""
        return PurePosixPath(self.model).with_suffix(".json").as_posix()


class Run(Record):
    """run.json."""

    genaug: Text
    format: Text
    classes: tuple[Text, ...]
    fits: tuple[Fit, ...]
    only_synthetic: bool
    size: tuple[int, int]
    resize: Text
    data: Text
    written: dict[Text, Text]
    filled_up: dict[Text, int] = {}
    shortfall: dict[Text, int] = {}
    failures: dict[Text, Text] = {}
    rejected_by_hand: tuple[Text, ...] = ()

    @property
    def by_hand(self) -> list[str]:
        """What a person took out before this run, as lists of the page call it."""
        return [f"train/{name}" for name in self.rejected_by_hand]


class Nearest(Record):
    """The real image that looks most like a synthetic one. distance: in [0, 2]."""

    file_name: Text
    distance: float


class Line(Record):
    """A line of provenance.jsonl. shard: the file that holds the image where it has none of its own."""

    file_name: Text
    split: Text
    label: Text
    synthetic: bool
    generator: Text = ""
    scores: Scores = {}
    weight: float = 1.0
    parents: tuple[Text, ...] = ()
    nearest: Nearest | None = None
    shard: Text | None = None

    @property
    def score(self) -> float:
        """The lowest of its scores; 1 without any."""
        return overall_score(self.scores)


class Picture(Record):
    """Where a rejected candidate is shown. box: left, top, right, bottom in pixels."""

    file: Text
    box: tuple[int, int, int, int]


class Rejected(Record):
    """A line of rejections.jsonl."""

    generator: Text
    label: Text = Field(alias="class")
    index: int
    selector: Text
    reason: Text
    scores: Scores = {}
    picture: Picture | None = None


class Count(Record):
    """Training images of a class."""

    real: int
    synthetic: int


class Classes(Record):
    """classes.json."""

    counts: dict[Text, Count]


class FitTime(Record):
    """How long a fit took; reused: whether an earlier run had it done."""

    model: Text
    seconds: float
    reused: bool


class Timings(Record):
    """timings.json."""

    started: Text
    seconds: float
    workers: int
    host: dict[Text, Text]
    fits: tuple[FitTime, ...]


class Training(Record):
    """The JSON beside a model. losses: (step, loss of each network), where a loss may not be a number."""

    model_config = ConfigDict(allow_inf_nan=True)

    losses: tuple[tuple[int, dict[Text, float | None]], ...] = ()


class Measurement(Record):
    """A value with its 95 % interval; None for what could not be computed."""

    value: float | None
    low: float | None
    high: float | None


class Metric(Measurement):
    """A row of evaluation.json. real: what `real_images` real images get instead; matched: that many synthetic ones.

    few: classes with too few images to say much.
    """

    name: Text
    higher_is_better: bool
    few: tuple[Text, ...] = ()
    real: float | None
    real_images: int
    matched: float | None
    images: int
    note: Text
    classes: dict[Text, Measurement]


class Evaluation(Record):
    """evaluation.json. provenance: SHA-256 of the images' records when they were measured."""

    provenance: Text
    features: Text
    note: Text
    rows: tuple[Metric, ...]
