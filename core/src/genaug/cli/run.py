"""genaug run: the main job."""

import time
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genaug.cli import console
from genaug.cli import options as given
from genaug.cli.from_study import recommended_job
from genaug.cli.left_out import current_folder
from genaug.errors import PARTIAL_EXIT_CODE
from genaug.storage import real_path

if TYPE_CHECKING:
    from genaug.mixing.mixed import MixedSet
    from genaug.run.job import Job

Data = Annotated[
    Path | None,
    typer.Argument(
        help="Folder of class folders, or of train/ and test/ folders of them.",
        show_default="the current folder; with --from-study, the folder that was studied",
    ),
]
FromStudy = Annotated[
    Path | None,
    typer.Option(
        "--from-study", metavar="STUDY", help="Write the set that this study recommends; it decides the plan."
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="Replace an output that was made with other settings: remove the files that genaug wrote there; a file of "
        "yours among them stops it.",
    ),
]

_UNKNOWN = "in our own studies there was no evidence that such images help a classifier; to study yours, run"


@given.with_run_options()
def run(
    data: Data = None,
    *,
    options: given.RunOptions,
    from_study: FromStudy = None,
    out: given.Out = None,
    overwrite: Overwrite = False,
    as_json: given.Json = False,
) -> int:
    """Train a generator and write a balanced data set. By default all classes get equal numbers of images.

    Without a target, classical variants bring every class to the largest; a quarter of each class is then generated.
    """
    began = time.monotonic()
    if from_study is None:
        source = data or current_folder("genaug run")
        target = out or given.default_out(source)
        job = options.job(source, target, overwrite=overwrite)
        closing = [f"{_UNKNOWN}: genaug study {quote(str(source))} -g {quote(job.config.generator or '')}"]
    else:
        job, closing = recommended_job(from_study, data, options)
        target = out or given.default_out(data or job.loaded.scan.root)
    if overwrite:
        _make_room(job, target)
    mixed, page = _written(job, target, options.workers, began)
    if as_json:
        console.answer_json(_summary(mixed, target))
    else:
        _show(mixed, target, page, closing)
    return PARTIAL_EXIT_CODE if mixed.failures else 0


def _make_room(job: "Job", target: Path) -> None:
    """Remove the output of other settings; the same settings go on with what is there."""
    from genaug.output.folder import OutputFolder
    from genaug.output.removal import remove_output
    from genaug.run import pipeline

    output = OutputFolder(target)
    output.check_place(job.loaded.scan.root)
    if output.replaces(job.request()):
        pipeline.check(job)
        remove_output(output)


def _written(job: "Job", target: Path, workers: int | None, began: float) -> "tuple[MixedSet, Path]":
    """The data set and its page; with a gate, after a quick study. began: when the command did, for its budget."""
    from genaug.cli.progress import progress_bars
    from genaug.output.folder import OutputFolder
    from genaug.report import write_report
    from genaug.run import pipeline
    from genaug.run.budget import within_budget
    from genaug.studies.gate import apply_gate, keep_study

    with progress_bars() as report:
        own = OutputFolder(target).own
        job = within_budget(job, own, target, spent=time.monotonic() - began, workers=workers)
        pipeline.check(job, target)
        job = apply_gate(job, own, workers=workers or given.cores(), report=report)
        mixed = pipeline.run(job, target, workers=workers, report=report)
    keep_study(job, own, target)
    return mixed, write_report(target)


def _summary(mixed: "MixedSet", out: Path) -> dict[str, Any]:
    from genaug.output.entries import written_counts

    skipped = [{"path": entry.path, "reason": entry.reason} for entry in mixed.loaded.skipped]
    return {
        "out": str(real_path(out)),
        "counts": written_counts(mixed),
        "failures": mixed.failures,
        "shortfall": mixed.shortfall,
        "refused": mixed.record["refused"],
        "rejected": mixed.rejections(),
        "findings": mixed.record["findings"],
        "harm_check": mixed.record["harm_check"],
        "detectability": mixed.record["detectability"],
        "within_budget": mixed.record["within_budget"],
        "skipped": skipped,
    }


def _show(mixed: "MixedSet", out: Path, page: Path, closing: list[str]) -> None:
    from genaug.output.entries import written_counts
    from genaug.output.formats import images_folder

    console.counts_table(written_counts(mixed))
    _show_probe(mixed)
    _show_selection(mixed)
    for name, reason in mixed.record["refused"].items():
        console.note(f"class {name!r}: {reason}; it gets no generated images")
    for name, reason in mixed.failures.items():
        console.note(f"class {name!r} got no synthetic images: {reason}")
    console.say(f"data set: {out / images_folder(mixed.record['format'])}")
    console.say(f"report: {page}")
    _show_harm_check(mixed)
    if reported := mixed.record["detectability"]:
        console.say(reported["sentence"])
    for finding in mixed.record["findings"]:
        console.say(finding)
    if advice := mixed.resolution.advice():
        console.say(advice)
    if gate := mixed.record["gated"]:
        console.say(f"quick study: {gate['study']}")
        console.say(f"quick study: {gate['recommendation']}")
    else:
        for text in closing:
            console.say(text)


def _show_harm_check(mixed: "MixedSet") -> None:
    """That no loss was found, or why there was no check; a loss is among the findings."""
    found = mixed.record["harm_check"] or {}
    if reason := found.get("skipped"):
        console.say(f"harm check: skipped, since {reason}")
    elif found and not found["harms"]:
        console.say("harm check: no loss found (a check, not a proof of help)")


def _show_probe(mixed: "MixedSet") -> None:
    """Which changes augmentation was allowed to use, where the probe was requested."""
    if found := mixed.record["probed"]:
        console.say(f"probe: kept every class: {', '.join(found['allowed']) or 'no change'}")
        console.say(f"probe: banned: {', '.join(found['banned']) or 'no change'}; the rest is unclear")


def _show_selection(mixed: "MixedSet") -> None:
    """How many candidates each selector rejected, and how classes with too few accepted images were filled."""
    if rejections := mixed.rejections():
        names = sorted({name for counts in rejections.values() for name in counts})
        rows = [(label, *(counts.get(name, 0) for name in names)) for label, counts in rejections.items()]
        console.table("candidates rejected", ("class", *names), rows)
    if fills := mixed.fills():
        console.table("shortfall", ("class", "requested", "accepted", "filled up", "missing"), fills)
