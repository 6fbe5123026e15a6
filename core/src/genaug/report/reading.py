"""Reads the files of an output. A missing or damaged file becomes a sentence on the page, not an error."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

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
RecordType = TypeVar("RecordType", bound=Record)


@dataclass(frozen=True)
class RunContent:
    """The files of a run.

    record: the fields of the run's record that the page shows; values: all of them. images: a record of each image.
    training: the losses of the first 60 models, by the name of the file that holds them.
    """

    record: RunRecord
    values: Mapping[str, Any]
    images: tuple[ImageRecord, ...]
    rejections: tuple[RejectionRecord, ...]
    class_counts: ClassCounts | None
    timings: Timings | None
    training: Mapping[str, TrainingRecord]
    evaluation: Evaluation | None

    @property
    def synthetic(self) -> list[ImageRecord]:
        """The records of the synthetic images."""
        return [image for image in self.images if image.synthetic]

    @property
    def detectability(self) -> str:
        """What the run says on how well generated images can be told from real ones; empty if it did not measure it.

        Empty too if the evaluation has rows on it, so that the page shows one figure and not two.
        """
        rows = () if self.evaluation is None else self.evaluation.rows
        measured = any(row.name == "detectability" for row in rows)
        return "" if measured or self.record.detectability is None else self.record.detectability.sentence

    @cached_property
    def real_labels(self) -> dict[str, str]:
        """The class of each real image, by its name in the provenance."""
        return {image.file_name: image.label for image in self.images if not image.synthetic}


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


def _run_content(run: RunRecord, files: "_Files") -> RunContent:
    return RunContent(
        record=run,
        values=read_run(files.folder) or {},
        images=files.records(PROVENANCE, ImageRecord, read_unchecked),
        rejections=files.records(REJECTIONS, RejectionRecord, read_rejections),
        class_counts=files.record(CLASSES, ClassCounts, expected=True),
        timings=files.record(TIMINGS, Timings, expected=True),
        training=_training(run, files),
        evaluation=_evaluation(run, files),
    )


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

    def records(self, name: str, kind: type[RecordType], read: Callable[[Path], list[Any]]) -> tuple[RecordType, ...]:
        """A file of JSON lines as records; no records and a fault if it is missing or damaged."""
        if not (self.folder / name).is_file():
            self._missing(name)
            return ()
        try:
            return tuple(kind.model_validate(line) for line in read(self.folder))
        except (ValueError, OSError) as error:
            self._damaged(name, error)
            return ()

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
