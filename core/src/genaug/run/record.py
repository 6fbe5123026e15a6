"""The records of a run: what decided its bytes, and its timings, which may differ between equal runs."""

import platform
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

import torch

from genaug.fitting import CHUNK, FitRecord
from genaug.mixing.resolution import Resolution
from genaug.output.file_names import synthetic_name
from genaug.output.files import MODELS
from genaug.run.generated import Generated
from genaug.run.job import Job
from genaug.run.stopwatch import Stopwatch
from genaug.storage import file_sha256

Value = TypeVar("Value")


def run_record(generated: Generated, resolution: Resolution) -> dict[str, Any]:
    """What decided the bytes of a run, and nothing that changes from run to run."""
    job = generated.job
    return job.request() | {
        "genaug": job.shares[0].settings.core_version,
        "seed": job.config.seed,
        "preset": job.config.preset,
        "spec": asdict(job.loaded.spec),
        "plan": job.plan,
        "top_up": None if job.top_up is None else job.top_up.settings.to_json() | {"plan": job.top_up.plan},
        "sizes": _sizes(resolution),
        "train_size": None if resolution.common_size is None else list(resolution.common_size),
        "shares": {share.name: share.plan for share in job.shares},
        "drawn": _drawn(generated),
        "filled_up": by_class(job, generated.filled_up()),
        "shortfall": by_class(job, generated.shortfall()),
        "refused": by_class(job, generated.refused),
        "probed": None if generated.probe is None else generated.probe.to_json(),
        "rejected_by_hand": sorted(_rejected_names(job)),
        "within_budget": None if job.budget is None else dict(job.budget),
        "gated": None if job.gate is None else dict(job.gate),
        "plugins": _plugins(job),
        "code": {share.name: share.settings.code for share in job.all_shares},
        "chunk": CHUNK,
        "fits": [_fit(record, job) for record in generated.records],
        "failures": by_class(job, generated.failures),
        "skipped": [asdict(entry) for entry in job.loaded.skipped],
    }


def timings(started: float, workers: int, records: tuple[FitRecord, ...], watch: Stopwatch) -> dict[str, Any]:
    """How long a run and each of its stages took, and on which machine. started: seconds since the epoch."""
    fits = [
        {"model": _model_name(record), "seconds": round(record.seconds, 3), "reused": record.reused}
        for record in records
    ]
    return {
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
        "seconds": round(time.time() - started, 3),
        "stages": watch.seconds(),
        "workers": workers,
        "host": {"system": platform.platform(), "python": platform.python_version(), "torch": torch.__version__},
        "fits": fits,
    }


def by_class(job: Job, values: Mapping[int, Value]) -> dict[str, Value]:
    """{label: value} as {class name: value}."""
    return {job.classes[label]: value for label, value in values.items()}


def _sizes(resolution: Resolution) -> dict[str, list[list[int]]]:
    """{class: sizes that its generated images may have}, so that more images can be drawn at the same sizes."""
    return {name: [list(size) for size in sizes] for name, sizes in resolution.sizes.items()}


def _fit(record: FitRecord, job: Job) -> dict[str, Any]:
    return {
        "generator": record.path.parent.name,
        "class": None if record.label is None else job.classes[record.label],
        "model": f"{MODELS}/{_model_name(record)}",
        "sha256": file_sha256(record.path),
        "key": record.key,
        "steps": record.steps,
        "batch_size": record.batch_size,
    }


def _model_name(record: FitRecord) -> str:
    return f"{record.path.parent.name}/{record.path.name}"


def _drawn(generated: Generated) -> dict[str, dict[str, int]]:
    """{generator: {class: candidates that were judged}}: the index at which further images begin."""
    drawn: dict[str, dict[str, int]] = {}
    for result in generated.results:
        drawn.setdefault(result.generator, {})[generated.job.classes[result.label]] = result.drawn
    return drawn


def _rejected_names(job: Job) -> Iterator[str]:
    """`<class>/<file>` of every candidate that a person has rejected."""
    for (generator, class_name), indices in job.manual_rejections.items():
        yield from (f"{class_name}/{synthetic_name(generator, index)}" for index in indices)


def _plugins(job: Job) -> dict[str, str]:
    """{generator: distribution and version} of every generator that may have drawn an image."""
    shares = [*job.all_shares, *([job.fallback] if job.fallback else [])]
    return {share.name: share.settings.to_json()["plugin"] for share in shares}
