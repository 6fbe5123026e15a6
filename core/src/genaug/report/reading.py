"""Reads the files of an output. A missing or damaged file becomes a sentence on the page, not an error."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from genaug.errors import DataError
from genaug.output.files import CLASSES, EVALUATION, PROVENANCE, REJECTIONS, RUN, STUDY, TIMINGS
from genaug.output.provenance import read_unchecked
from genaug.output.rejections import read_rejections
from genaug.output.run_file import read_run
from genaug.report.records import (
    ClassCounts,
    Evaluation,
    ImageRecord,
    Record,
    RejectionRecord,
    RunRecord,
    Timings,
    TrainingRecord,
)
from genaug.report.verdicts import Study
from genaug.storage import read_json

_MOST_MODELS = 60
_MOST_OF_A_CLASS = 200
_MOST = 2000
RecordType = TypeVar("RecordType", bound=Record)
Item = TypeVar("Item", ImageRecord, RejectionRecord)


@dataclass(frozen=True)
class RunContent:
    """The files of a run.

    record: the fields of the run's record that the page shows; values: all of them. images: the synthetic images that
    the page shows, the worst of each class. synthetic: how many there are. real_labels: the class of each real image,
    by its name in the provenance. rejections: the rejected candidates that the page shows. rejected: all rejected
    candidates of each class. training: the losses of the first 60 models, by the name of the file that holds them.
    """

    record: RunRecord
    values: Mapping[str, Any]
    images: tuple[ImageRecord, ...]
    synthetic: int
    real_labels: Mapping[str, str]
    rejections: tuple[RejectionRecord, ...]
    rejected: Mapping[str, int]
    class_counts: ClassCounts | None
    timings: Timings | None
    training: Mapping[str, TrainingRecord]
    evaluation: Evaluation | None

    @property
    def detectability(self) -> str:
        """What the run says on how well generated images can be told from real ones; empty if it did not measure it.

        Empty too if the evaluation has rows on it, so that the page shows one figure and not two.
        """
        rows = () if self.evaluation is None else self.evaluation.rows
        measured = any(row.name == "detectability" for row in rows)
        return "" if measured or self.record.detectability is None else self.record.detectability.sentence


@dataclass(frozen=True)
class ReportContent:
    """What the page shows: a run, a study, or both. faults: a sentence for each file that cannot be shown."""

    path: Path
    run: RunContent | None
    study: Study | None
    faults: tuple[str, ...]


def read_output(path: Path) -> ReportContent:
    """Read OUT; raises DataError if it is the output of neither a run nor a study."""
    files = _Files(path)
    run, study = files.record(RUN, RunRecord), files.record(STUDY, Study)
    if run is None and study is None:
        reason = f" ({files.faults[0]})" if files.faults else ""
        raise DataError(
            f"{path} is no finished output of genaug run or genaug study: expected {RUN} or {STUDY}{reason}"
        )
    content = None if run is None else _run_content(run, files)
    return ReportContent(path, content, study, tuple(files.faults))


def image_records(out: Path) -> Iterator[ImageRecord]:
    """The record of every image in OUT; raises ValueError for a line that genaug did not write."""
    return map(ImageRecord.model_validate, read_unchecked(out))


def limit_per_class(classes: int) -> int:
    """The most images of one class that the page shows: 200, or fewer so that 2000 in all are enough; at least 2."""
    return max(2, min(_MOST_OF_A_CLASS, _MOST // max(1, classes)))


class FirstOfEachClass(Generic[Item]):
    """Keeps the items of each class with the lowest keys, at most `most`, in the order in which they were added.

    count: how many were added.
    """

    def __init__(self, most: int, key: Callable[[Item], float]) -> None:
        self._most = most
        self._key: Callable[[Item], float] = key
        self._kept: dict[str, list[tuple[float, int, Item]]] = {}
        self.count = 0

    def add(self, item: Item) -> None:
        """Keep an item, unless there are enough of its class with lower keys."""
        kept = self._kept.setdefault(item.label, [])
        heapq.heappush(kept, (-self._key(item), -self.count, item))  # the first to go is at the top
        self.count += 1
        if len(kept) > self._most:
            heapq.heappop(kept)

    def items(self) -> tuple[Item, ...]:
        """What was kept."""
        every = (entry for kept in self._kept.values() for entry in kept)
        return tuple(item for _, _, item in sorted(every, key=lambda entry: -entry[1]))


def _run_content(run: RunRecord, files: "_Files") -> RunContent:
    most = limit_per_class(len(run.classes))
    images = FirstOfEachClass[ImageRecord](most, lambda image: image.score)
    rejections = FirstOfEachClass[RejectionRecord](most, lambda rejection: rejection.picture is None)
    real_labels: dict[str, str] = {}
    rejected: Counter[str] = Counter()

    def add_image(image: ImageRecord) -> None:
        if image.synthetic:
            images.add(image)
        else:
            real_labels[image.file_name] = image.label

    def add_rejection(rejection: RejectionRecord) -> None:
        rejections.add(rejection)
        rejected[rejection.label] += 1

    images_are_whole = files.each(PROVENANCE, image_records, add_image)
    rejections_are_whole = files.each(REJECTIONS, _rejection_records, add_rejection)
    return RunContent(
        record=run,
        values=read_run(files.folder) or {},
        images=images.items() if images_are_whole else (),
        synthetic=images.count if images_are_whole else 0,
        real_labels=real_labels if images_are_whole else {},
        rejections=rejections.items() if rejections_are_whole else (),
        rejected=rejected if rejections_are_whole else {},
        class_counts=files.record(CLASSES, ClassCounts, expected=True),
        timings=files.record(TIMINGS, Timings, expected=True),
        training=_training(run, files),
        evaluation=_evaluation(run, files),
    )


def _rejection_records(out: Path) -> Iterator[RejectionRecord]:
    return map(RejectionRecord.model_validate, read_rejections(out))


def _training(run: RunRecord, files: "_Files") -> dict[str, TrainingRecord]:
    names = [model.training_file for model in run.models[:_MOST_MODELS]]
    records = {name: files.record(name, TrainingRecord, expected=True) for name in names}
    return {name: record for name, record in records.items() if record is not None and record.losses}


def _evaluation(run: RunRecord, files: "_Files") -> Evaluation | None:
    evaluation = files.record(EVALUATION, Evaluation)
    if evaluation is not None and evaluation.provenance != run.written.get(PROVENANCE):
        files.faults.append(f"{EVALUATION} was computed for other images; run genaug report with --evaluate again")
        return None
    return evaluation


class _Files:
    """Reads the files of a folder and collects what is wrong with them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.faults: list[str] = []

    def record(self, name: str, kind: type[RecordType], *, expected: bool = False) -> RecordType | None:
        """A JSON file as a record; None if it is damaged or missing.

        A damaged file is a fault; a missing file is a fault only if it is expected.
        """
        path = self.folder / name
        if not path.is_file():
            if expected:
                self._missing(name)
            return None
        try:
            return kind.model_validate(read_run(self.folder) if name == RUN else read_json(path))
        except (ValidationError, OSError) as error:
            self._damaged(name, error)
            return None

    def each(self, name: str, read: Callable[[Path], Iterator[RecordType]], use: Callable[[RecordType], None]) -> bool:
        """Use the record of each line of a file; False and a fault if it is missing, or damaged anywhere."""
        if not (self.folder / name).is_file():
            self._missing(name)
            return False
        try:
            for record in read(self.folder):
                use(record)
        except (ValueError, OSError) as error:
            self._damaged(name, error)
            return False
        return True

    def _missing(self, name: str) -> None:
        self.faults.append(f"{name} is missing")

    def _damaged(self, name: str, error: Exception) -> None:
        self.faults.append(f"{name} is not what genaug wrote: {_reason(error)}")


def _reason(error: Exception) -> str:
    """The first error and its place in the file, in a few words."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return ": ".join(filter(None, (".".join(map(str, first["loc"])), str(first["msg"]).lower())))
    return str(error)
