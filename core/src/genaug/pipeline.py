"""The one path from images and a RunConfig to a mixed data set: of run, augment, demo and study alike."""

import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from genaug.config import Preset, RunConfig, changed
from genaug.data.duplicates import nearest, thumbnail
from genaug.data.folder import LoadedFolder
from genaug.errors import unknown
from genaug.executors import Outcome, Report, make_executor
from genaug.fitting import (
    CHUNK,
    DrawTask,
    FitRecord,
    FitTask,
    Settings,
    chunk_images,
    draw,
    fit,
    fit_tasks,
)
from genaug.mixing.mixed import Mixed, Synthetic
from genaug.mixing.output import OutputFolder
from genaug.mixing.plan import new_images
from genaug.mixing.writer import write
from genaug.registry import GeneratorDescription, Registry
from genaug.storage import copy_file, locked, make_folder, stage_hash
from genaug.training import resolve_device, resolve_precision


@dataclass(frozen=True)
class Job:
    """A run with every wish resolved: what will be trained, on which images, and how many are drawn of each class."""

    loaded: LoadedFolder
    config: RunConfig
    settings: Settings
    plan: dict[str, int]

    def request(self) -> dict[str, Any]:
        """All that decides the bytes of the output except the plan."""
        loaded = self.loaded
        return {
            "generator": self.settings.to_json(),
            "classes": list(loaded.spec.classes),
            "size": [loaded.spec.height, loaded.spec.width],
            "resize": loaded.resize,
            "copy_mode": self.config.copy_mode,
            "data": _data_hash(loaded),
        }


@dataclass(frozen=True)
class Work:
    """One model and the images that it draws: fit, then draw."""

    fit: FitTask
    draw: DrawTask


def resolve(config: RunConfig, loaded: LoadedFolder, registry: Registry) -> Job:
    """Settle generator, preset, device, precision, threads and plan; raises UsageError for what cannot be had."""
    name = config.generator or registry.default_generator()
    description, source = registry.generators.get(name), registry.generators.source(name)
    device = resolve_device(config.device)
    preset = resolve_preset(description, config, loaded, device)
    per_class = description.conditioning == "none" or preset.train.specialise_steps > 0
    settings = Settings(
        description=description,
        source=source,
        core_version=version("genaug"),
        preset=preset,
        seed=config.seed,
        device=device,
        precision=resolve_precision(preset.train.precision, device),
        threads=1 if per_class else torch.get_num_threads(),
        pooled_threads=torch.get_num_threads(),
    )
    counts = dict(zip(loaded.spec.classes, loaded.spec.counts, strict=True))
    return Job(loaded, config, settings, new_images(counts, config))


def resolve_preset(description: GeneratorDescription, config: RunConfig, loaded: LoadedFolder, device: str) -> Preset:
    """The named preset for this data and device, with the run's own changes over it."""
    make = description.presets.get(config.preset)
    if make is None:
        raise unknown(f"preset of {description.name}", config.preset, description.presets)
    preset = make(loaded.spec, device.partition(":")[0])
    return Preset(
        model=changed(preset.model, config.model, f"the settings of {description.name}"),
        train=changed(preset.train, config.train, "train"),
        augmentation=changed(preset.augmentation, config.augmentation, "augmentation"),
    )


def default_workers(job: Job) -> int:
    """Fits at once when nobody says: one per core for models of one class each on a CPU, else one."""
    many = job.settings.per_class and job.settings.device == "cpu"
    return max(1, min(torch.get_num_threads(), sum(count > 0 for count in job.plan.values()))) if many else 1


def run(job: Job, out: Path, *, workers: int | None = None, report: Report | None = None) -> Mixed:
    """Train, draw and write OUT; what an earlier run of the same settings finished is not done again."""
    output = OutputFolder(out)
    output.check(job.loaded.scan.root, job.request())
    output.check_room(_bytes_needed(job))
    started = time.time()
    with locked(output.own):
        output.claim(job.request())
        mixed, records = generate(job, output.models, output.own, workers=workers, report=report)
        write(mixed, output, _timings(started, workers or default_workers(job), records))
    return mixed


def save(job: Job, mixed: Mixed, records: Sequence[FitRecord], models: Path, out: Path) -> None:
    """Write a mixed set that was made elsewhere, with its models, as `run` would have."""
    output = OutputFolder(out)
    output.check(job.loaded.scan.root, job.request())
    output.check_room(_bytes_needed(job))
    started = time.time()
    with locked(output.own):
        output.claim(job.request())
        for path in sorted(models.glob("*/*")):
            copy_file(path, make_folder(output.models / path.parent.name) / path.name)
        write(mixed, output, _timings(started, 1, records))


def generate(
    job: Job, models: Path, scratch: Path, *, workers: int | None = None, report: Report | None = None
) -> tuple[Mixed, list[FitRecord]]:
    """Train what the plan needs and draw it; a class may fail alone, and when all fail the first error is raised."""
    works = plan_work(job, models, scratch)
    tell = report or _silent
    if pooled := {work.fit.pooled.key: work.fit.pooled for work in works if work.fit.pooled is not None}:
        (first,) = make_executor(1).map(fit, list(pooled.values()), tell)
        if first.error is not None:
            raise first.error
    outcomes = make_executor(workers or default_workers(job)).map(perform, works, tell)
    errors = [outcome.error for outcome in outcomes if outcome.error is not None]
    if errors and len(errors) == len(outcomes):
        raise errors[0]
    records = [outcome.result for outcome in outcomes if outcome.result is not None]
    failures = dict(_failures(job, works, outcomes))
    synthetic = tuple(_synthetic(job, works, failures))
    return Mixed(job.loaded, synthetic, job.plan, failures, _record(job, records, failures)), records


def plan_work(job: Job, models: Path, scratch: Path) -> list[Work]:
    """The fits that the plan needs, each with the images that it draws; classes without a wish train nothing."""
    wanted = {label: job.plan[name] for label, name in enumerate(job.loaded.spec.classes) if job.plan[name]}
    if not wanted:
        return []
    tasks = fit_tasks(job.settings, job.loaded.train, models, scratch, sorted(wanted))
    return [Work(task, _draw_task(job, task, wanted, scratch)) for task in tasks]


def perform(work: Work, report: Report) -> FitRecord:
    """Fit one model and draw its images: the unit that runs in a worker."""
    record = fit(work.fit, report)
    draw(work.draw, report)
    return record


def _draw_task(job: Job, task: FitTask, wanted: Mapping[int, int], scratch: Path) -> DrawTask:
    mine = wanted if task.label is None else {task.label: wanted[task.label]}
    return DrawTask(
        generator=job.settings.description.name,
        models=(task.path,),
        spec=job.loaded.spec,
        counts=dict(mine),
        first=0,
        seed=job.settings.seed,
        device=job.settings.device,
        threads=job.settings.threads,
        folder=scratch / "draws" / stage_hash([task.key, CHUNK]),
    )


def _failures(job: Job, works: Sequence[Work], outcomes: Sequence[Outcome[FitRecord]]) -> Iterator[tuple[str, str]]:
    for work, outcome in zip(works, outcomes, strict=True):
        if outcome.error is not None:
            for label in work.draw.counts:
                yield job.loaded.spec.classes[label], str(outcome.error)


def _synthetic(job: Job, works: Sequence[Work], failures: Mapping[str, str]) -> Iterator[Synthetic]:
    for work in works:
        for label in work.draw.counts:
            name = job.loaded.spec.classes[label]
            if name not in failures:
                yield from _of_class(job, work, label, name)


def _of_class(job: Job, work: Work, label: int, name: str) -> Iterator[Synthetic]:
    images, parents = chunk_images(work.draw, label)
    train, reference = job.loaded.train, job.loaded.splits["train"]
    places, distances = nearest(np.stack([thumbnail(image) for image in images]), reference.thumbnails)
    for index, pixels in enumerate(images):
        rows = [int(row) for row in parents[index] if row >= 0]
        yield Synthetic(
            pixels=pixels,
            label=name,
            generator=work.draw.generator,
            index=index,
            parents=tuple(train.names[row] for row in rows),
            nearest=reference.names[int(places[index])],
            distance=float(distances[index]),
        )


def _record(job: Job, records: Sequence[FitRecord], failures: Mapping[str, str]) -> dict[str, Any]:
    """run.json: what decided the bytes, and nothing that changes from run to run."""
    classes = job.loaded.spec.classes
    fits = [
        {
            "class": None if record.label is None else classes[record.label],
            "model": f"models/{record.path.parent.name}/{record.path.name}",
            "key": record.key,
            "steps": record.steps,
            "batch_size": record.batch_size,
        }
        for record in records
    ]
    return job.request() | {
        "genaug": job.settings.core_version,
        "seed": job.settings.seed,
        "preset": job.config.preset,
        "spec": asdict(job.loaded.spec),
        "plan": job.plan,
        "chunk": CHUNK,
        "fits": fits,
        "failures": dict(failures),
        "skipped": [asdict(entry) for entry in job.loaded.skipped],
    }


def _timings(started: float, workers: int, records: Sequence[FitRecord]) -> dict[str, Any]:
    fits = [
        {"model": record.path.name, "seconds": round(record.seconds, 3), "reused": record.reused} for record in records
    ]
    return {
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
        "seconds": round(time.time() - started, 3),
        "workers": workers,
        "host": {"system": platform.platform(), "python": platform.python_version(), "torch": torch.__version__},
        "fits": fits,
    }


def _data_hash(loaded: LoadedFolder) -> str:
    files = [
        [split, name, digest]
        for split, images in loaded.splits.items()
        for name, digest in zip(images.names, images.sha256, strict=True)
    ]
    return stage_hash(sorted(files))


def _bytes_needed(job: Job) -> int:
    """A careful estimate of what a run writes: raw pixels for draws and for PNGs, and a copy of the real files."""
    spec = job.loaded.spec
    image = 2 * spec.channels * spec.height * spec.width + 4096
    real = sum(path.stat().st_size for images in job.loaded.splits.values() for path in images.paths)
    return int(sum(job.plan.values()) * image + real)


def _silent(message: object) -> None:
    """Report to nobody."""
