"""The one path from images and a RunConfig to a mixed data set: of run, augment, demo and study alike."""

import platform
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from genaug.executors import Report
from genaug.fitting import CHUNK, FitRecord
from genaug.generation import Draft, Generated, generate
from genaug.job import Job, default_workers
from genaug.mixing.fold import fold, overall_score
from genaug.mixing.formats import check_format
from genaug.mixing.mixed import Mixed, Rejection, Synthetic
from genaug.mixing.names import synthetic_name
from genaug.mixing.output import OutputFolder
from genaug.mixing.recipe import require_foldable
from genaug.mixing.writer import write
from genaug.selection import Kept
from genaug.storage import copy_file, file_sha256, locked, make_folder


def run(job: Job, out: Path, *, workers: int | None = None, report: Report | None = None) -> Mixed:
    """Train, draw, select and write OUT; what an earlier run of the same settings finished is not done again.

    Raises UsageError for a recipe that no folder can hold or a format that cannot be written here.
    """
    output = checked(job, out)
    started = time.time()
    with locked(output.own):
        output.claim(job.request())
        made = generate(job, output.models, output.own, workers=workers, report=report)
        mixed = mix(made)
        write(mixed, output, _timings(started, workers or default_workers(job), made.records))
    return mixed


def save(mixed: Mixed, made: Generated, scratch: Path, out: Path) -> None:
    """Write a mixed set that was made in `scratch`, with its models, as `run` would have."""
    job = made.job
    output = checked(job, out)
    started = time.time()
    with locked(output.own):
        output.claim(job.request())
        for path in sorted((scratch / "models").glob("*/*")):
            copy_file(path, make_folder(output.models / path.parent.name) / path.name)
        write(mixed, output, _timings(started, 1, made.records))


def mix(made: Generated) -> Mixed:
    """Real and synthetic images together: the recipe says which of the kept ones stay and what they weigh."""
    job = made.job
    images = [image for draft in made.drafts for image in _synthetic(job, draft)]
    counts = dict(zip(job.loaded.spec.classes, job.loaded.spec.counts, strict=True))
    scores = [overall_score(image.scores) for image in images]
    folded = fold(job.recipe, counts, [image.label for image in images], scores)
    kept = tuple(
        image.weighing(weight) for image, keep, weight in zip(images, folded.keep, folded.weights, strict=True) if keep
    )
    rejected = tuple(rejection for draft in made.drafts for rejection in _rejections(draft))
    return Mixed(job.loaded, kept, job.plan, made.failures, rejected, made.shortfall(), _record(made))


def checked(job: Job, out: Path) -> OutputFolder:
    """The folder to write to, once it is sure that it can be written. Raises UsageError or OutputError."""
    require_foldable(job.recipe)
    check_format(job.config.format)
    output = OutputFolder(out)
    output.check(job.loaded.scan.root, job.request())
    output.check_room(_bytes_needed(job))
    return output


def _synthetic(job: Job, draft: Draft) -> Iterator[Synthetic]:
    names = job.loaded.train.names
    weights = file_sha256(draft.model)
    for image in draft.kept:
        yield Synthetic(
            pixels=image.pixels,
            label=draft.label,
            generator=draft.generator,
            index=image.index,
            parents=tuple(names[row] for row in image.parents),
            stem=names[image.stem],
            nearest=names[image.nearest],
            distance=image.distance,
            scores=image.scores,
            model=weights,
        )


def _rejections(draft: Draft) -> Iterator[Rejection]:
    for one in draft.rejected:
        candidate: Kept = one.candidate
        yield Rejection(
            draft.label, draft.generator, candidate.index, one.selector, one.reason, candidate.scores, candidate.pixels
        )


def _record(made: Generated) -> dict[str, Any]:
    """run.json: what decided the bytes, and nothing that changes from run to run."""
    job, classes = made.job, made.job.loaded.spec.classes
    fits = [
        {
            "generator": record.path.parent.name,
            "class": None if record.label is None else classes[record.label],
            "model": f"models/{record.path.parent.name}/{record.path.name}",
            "sha256": file_sha256(record.path),
            "key": record.key,
            "steps": record.steps,
            "batch_size": record.batch_size,
        }
        for record in made.records
    ]
    return job.request() | {
        "genaug": job.shares[0].settings.core_version,
        "seed": job.config.seed,
        "preset": job.config.preset,
        "spec": asdict(job.loaded.spec),
        "plan": job.plan,
        "shares": {share.name: share.plan for share in job.shares},
        "drawn": _drawn(made),
        "filled_up": made.filled_up(),
        "shortfall": made.shortfall(),
        "probed": None if made.probe is None else made.probe.to_json(),
        "rejected_by_hand": sorted(_marked_names(job)),
        "gated": None if job.gate is None else dict(job.gate),
        "plugins": _plugins(job),
        "chunk": CHUNK,
        "fits": fits,
        "failures": dict(made.failures),
        "skipped": [asdict(entry) for entry in job.loaded.skipped],
    }


def _drawn(made: Generated) -> dict[str, dict[str, int]]:
    """{generator: {class: candidates that were looked at}}: where more of them begin."""
    drawn: dict[str, dict[str, int]] = {}
    for draft in made.drafts:
        drawn.setdefault(draft.generator, {})[draft.label] = draft.drawn
    return drawn


def _marked_names(job: Job) -> Iterator[str]:
    """`<class>/<file>` of every candidate that a person has rejected."""
    for (generator, label), indices in job.marked.items():
        yield from (f"{label}/{synthetic_name(generator, index)}" for index in indices)


def _plugins(job: Job) -> dict[str, str]:
    """{generator: distribution and version} of all that may have drawn an image."""
    shares = [*job.shares, *([job.fallback] if job.fallback else [])]
    return {share.name: share.settings.to_json()["plugin"] for share in shares}


def _timings(started: float, workers: int, records: tuple[FitRecord, ...]) -> dict[str, Any]:
    fits = [
        {
            "model": f"{record.path.parent.name}/{record.path.name}",
            "seconds": round(record.seconds, 3),
            "reused": record.reused,
        }
        for record in records
    ]
    return {
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
        "seconds": round(time.time() - started, 3),
        "workers": workers,
        "host": {"system": platform.platform(), "python": platform.python_version(), "torch": torch.__version__},
        "fits": fits,
    }


def _bytes_needed(job: Job) -> int:
    """A careful estimate of what a run writes: raw pixels for draws and for PNGs, and a copy of the real files."""
    spec = job.loaded.spec
    image = 2 * spec.channels * spec.height * spec.width + 4096
    real = sum(path.stat().st_size for images in job.loaded.splits.values() for path in images.paths)
    most = job.config.overdraw if job.selectors else 1.0
    return int(sum(job.plan.values()) * image * most + real)
