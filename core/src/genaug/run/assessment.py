"""What a run finds out about its own output before it is written: figures for the record, sentences for people."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from genaug.executors import Report
from genaug.mixing.mixed import MixedSet
from genaug.run.detectability import check_detectability
from genaug.run.harm_check import check_harm
from genaug.run.job import Job

# a check returns figures, as plain values under its own keys, and sentences of what a user should know or do
Check = Callable[[MixedSet, Job, Path, int | None, Report], tuple[Mapping[str, Any], Sequence[str]]]
CHECKS: tuple[Check, ...] = (check_detectability, check_harm)


def assess(mixed: MixedSet, job: Job, folder: Path, workers: int | None, report: Report) -> MixedSet:
    """The mixed set with the figures of all checks in its record, and their sentences under `findings`.

    folder: where classifiers that a check trains are kept, and found again. workers: those that train side by side.
    """
    figures: dict[str, Any] = {}
    findings = [job.budget["sentence"]] if job.budget and job.budget["gave_up"] else []
    for check in CHECKS:
        values, sentences = check(mixed, job, folder, workers, report)
        figures |= values
        findings += sentences
    return replace(mixed, record=mixed.record | figures | {"findings": findings})
