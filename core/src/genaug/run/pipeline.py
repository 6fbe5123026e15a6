"""The one path from a job to a mixed data set, taken by run, augment, demo and study."""

import time
from pathlib import Path

import numpy as np

from genaug.executors import Report, silent
from genaug.fitting import FitRecord, variant_generator
from genaug.mixing.apply import apply_recipe, overall_score
from genaug.mixing.candidate_table import CandidateTable
from genaug.mixing.mixed import MixedSet
from genaug.mixing.recipe import require_storable
from genaug.mixing.resolution import Resolution
from genaug.output.files import MODELS
from genaug.output.folder import OutputFolder
from genaug.output.formats import check_format
from genaug.output.writer import write
from genaug.registry import make_generator
from genaug.run.assessment import assess
from genaug.run.generated import Generated
from genaug.run.generation import generate
from genaug.run.job import Job, default_workers
from genaug.run.record import by_class, run_record, timings
from genaug.run.stopwatch import Stopwatch
from genaug.storage import copy_file, locked, make_folder


def run(job: Job, out: Path, *, workers: int | None = None, report: Report = silent) -> MixedSet:
    """Train, draw, select and write OUT; what an earlier run with the same settings finished is not repeated.

    Raises UsageError for a recipe that no folder can hold or a format that cannot be written here.
    """
    output = checked(job, out)
    started = time.time()
    with locked(output.own):
        output.claim(job.request())
        watch = Stopwatch()
        mixed, records = _generated(job, output, workers, report, watch)
        with watch.of("checking"):
            mixed = assess(mixed, job, output.own, workers, report)
        with watch.of("writing"):
            write(mixed, output, lambda: timings(started, workers or default_workers(job), records, watch))
    return mixed


def _generated(
    job: Job, output: OutputFolder, workers: int | None, report: Report, watch: Stopwatch
) -> tuple[MixedSet, tuple[FitRecord, ...]]:
    """The mixed set and the models behind it; candidates that are not in it are forgotten here."""
    generated = generate(job, output.models, output.own, workers=workers, report=report, watch=watch)
    return mix(generated), generated.records


def save(mixed: MixedSet, job: Job, records: tuple[FitRecord, ...], folder: Path, out: Path) -> None:
    """Write a mixed set whose models were trained in `folder` to OUT, as `run` would have written it."""
    output = checked(job, out)
    started = time.time()
    with locked(output.own):
        output.claim(job.request())
        for path in sorted((folder / MODELS).glob("*/*")):
            copy_file(path, make_folder(output.models / path.parent.name) / path.name)
        write(mixed, output, lambda: timings(started, 1, records, Stopwatch()))


def mix(generated: Generated) -> MixedSet:
    """Real and synthetic images together; the recipe says which accepted candidates are used and what they weigh.

    It leaves alone what tops up the real side, and counts it as real.
    """
    job, results = generated.job, generated.results
    accepted, rejected = CandidateTable(), CandidateTable()
    for result in results:
        accepted.extend(result.accepted)
        rejected.extend(result.rejected)
    labels, topped_up = accepted.labels, np.flatnonzero(accepted.tops_up)
    rows = np.flatnonzero(~accepted.tops_up)
    real = np.bincount(labels[topped_up], minlength=len(job.classes)) + job.loaded.spec.counts
    scores = [overall_score(accepted.scores[row]) for row in rows.tolist()]
    applied = apply_recipe(job.recipe, real.tolist(), labels[rows].tolist(), scores)
    keep = np.array(applied.keep, dtype=bool)
    weights = np.concatenate([np.array(applied.weights)[keep], np.ones(len(topped_up))])
    resolution = resolution_of(job)
    return MixedSet(
        loaded=job.loaded,
        synthetic=accepted.take(np.concatenate([rows[keep], topped_up]), weights),
        rejected=rejected,
        plan=job.plan,
        failures=by_class(job, generated.failures),
        shortfall=by_class(job, generated.shortfall()),
        resolution=resolution,
        record=run_record(generated, resolution),
    )


def resolution_of(job: Job) -> Resolution:
    """How the images of a job are brought to the size at which they are written."""
    shares = [*job.all_shares, *([job.fallback] if job.fallback else [])]
    variants = {
        share.name: variant_generator(
            make_generator(share.settings.description, job.loaded.spec, share.settings.preset.model)
        )
        for share in shares
        if share.kind == "classical"
    }
    side = None if job.config.resolution == "real" else int(job.config.resolution)
    return Resolution(job.loaded, side, job.config.seed, variants)


def check(job: Job, out: Path | None = None) -> None:
    """Raise an error for a job that cannot be written, to OUT where it is given; writes nothing.

    Raises UsageError, OutputError, or PluginError for a plugin that breaks its contract.
    """
    require_storable(job.recipe)
    check_format(job.config.format)
    resolution_of(job)
    if out is not None:
        output = OutputFolder(out)
        output.check(job.loaded.scan.root, job.request())
        output.check_room(_bytes_needed(job))


def checked(job: Job, out: Path) -> OutputFolder:
    """The folder to write to, after `check`."""
    check(job, out)
    return OutputFolder(out)


def _bytes_needed(job: Job) -> int:
    """A careful estimate of what a run writes: raw pixels for draws and for PNGs, and a copy of the real files."""
    spec, sizes = job.loaded.spec, job.loaded.splits["train"].facts
    written = max(one.height * one.width for one in sizes) if job.config.resolution == "real" else 0
    image = spec.channels * (spec.height * spec.width + written) + 4096
    real = sum(path.stat().st_size for images in job.loaded.splits.values() for path in images.paths)
    most = job.config.overdraw if job.selectors else 1.0
    drawn = sum(sum(share.plan.values()) for share in job.all_shares)
    return int(drawn * image * most + real)
