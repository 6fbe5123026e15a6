"""Reads the files of an output; what is missing or damaged becomes a sentence on the page."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from genaug.errors import DataError
from genaug.mixing.output import PROVENANCE
from genaug.report.records import Classes, Evaluation, Line, Record, Rejected, Run, Timings, Training
from genaug.report.verdicts import Study
from genaug.storage import read_json, read_json_lines

EVALUATION = "evaluation.json"
_RUN = "run.json"
_STUDY = "study.json"
_MOST_MODELS = 60
Kind = TypeVar("Kind", bound=Record)


@dataclass(frozen=True)
class Made:
    """What a run left. values: run.json as it is. training: of each model, by its path, at most 60 of them."""

    run: Run
    values: Mapping[str, Any]
    lines: tuple[Line, ...]
    rejected: tuple[Rejected, ...]
    classes: Classes | None
    timings: Timings | None
    training: Mapping[str, Training]
    evaluation: Evaluation | None

    @property
    def synthetic(self) -> list[Line]:
        """The lines of synthetic images."""
        return [line for line in self.lines if line.synthetic]


@dataclass(frozen=True)
class Output:
    """What a folder holds, of a run, of a study or of both. faults: sentences about what is not on the page."""

    path: Path
    made: Made | None
    study: Study | None
    faults: tuple[str, ...]


def read_output(path: Path) -> Output:
    """Read OUT; raises DataError where it is the output of neither a run nor a study."""
    files = _Files(path)
    run, study = files.table(_RUN, Run), files.table(_STUDY, Study)
    if run is None and study is None:
        why = f" ({files.faults[0]})" if files.faults else ""
        raise DataError(f"{path} is no finished output of genaug run or genaug study: expected {_RUN} or {_STUDY}{why}")
    made = None if run is None else _made(run, files)
    return Output(path, made, study, tuple(files.faults))


def _made(run: Run, files: "_Files") -> Made:
    lines = files.lines(PROVENANCE, Line)
    return Made(
        run=run,
        values=read_json(files.folder / _RUN) or {},
        lines=lines,
        rejected=files.lines("rejections.jsonl", Rejected),
        classes=files.table("classes.json", Classes, expected=True),
        timings=files.table("timings.json", Timings, expected=True),
        training=_training(run, files),
        evaluation=_evaluation(run, files),
    )


def _training(run: Run, files: "_Files") -> dict[str, Training]:
    found = {fit.record: files.table(fit.record, Training, expected=True) for fit in run.fits[:_MOST_MODELS]}
    return {name: training for name, training in found.items() if training is not None and training.losses}


def _evaluation(run: Run, files: "_Files") -> Evaluation | None:
    found = files.table(EVALUATION, Evaluation)
    if found is not None and found.provenance != run.written.get(PROVENANCE):
        files.faults.append(f"{EVALUATION} was measured on other images than those that are here now")
        return None
    return found


class _Files:
    """The files of a folder, and what is wrong with them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.faults: list[str] = []

    def table(self, name: str, kind: type[Kind], *, expected: bool = False) -> Kind | None:
        """A JSON file as a record; None where it is damaged, or not there, which is a fault where it is expected."""
        path = self.folder / name
        if not path.is_file():
            if expected:
                self.faults.append(f"{name} is not there")
            return None
        try:
            return kind.model_validate(read_json(path))
        except (ValidationError, OSError) as error:
            self.faults.append(f"{name} is not what genaug wrote: {_reason(error)}")
            return None

    def lines(self, name: str, kind: type[Kind]) -> tuple[Kind, ...]:
        """A file of JSON lines as records; none where it is not there or damaged, which is a fault."""
        if not (self.folder / name).is_file():
            self.faults.append(f"{name} is not there")
            return ()
        try:
            return tuple(kind.model_validate(line) for line in read_json_lines(self.folder / name))
        except (ValueError, OSError) as error:
            self.faults.append(f"{name} is not what genaug wrote: {_reason(error)}")
            return ()


def _reason(error: Exception) -> str:
    """What is wrong and where, in a few words."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return ": ".join(filter(None, (".".join(map(str, first["loc"])), str(first["msg"]).lower())))
    return str(error)
