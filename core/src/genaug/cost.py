"""What a run will cost, measured on a few steps of its longest fit; nothing is written."""

import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from genaug.fitting.fit import FitTask, enlarged
from genaug.pipeline import Job, default_workers, plan_work
from genaug.registry import make_generator
from genaug.training import Progress, resolved_steps, train

_WARM_STEPS = 3
_TIMED_STEPS = 10


@dataclass(frozen=True)
class Cost:
    """fits: models to train. steps: over all fits. seconds: estimated training time with that many workers."""

    fits: int
    steps: int
    step_seconds: float
    workers: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def sentence(self) -> str:
        """For people."""
        if not self.fits:
            return "nothing to train: no class gets new images"
        return (
            f"{self.fits} fit(s), {self.steps:,} steps in all, {self.step_seconds * 1000:.0f} ms a step: about "
            f"{self.seconds / 60:.1f} minutes of training with {self.workers} worker(s), and the drawing"
        )


class _EnoughError(Exception):
    """The few steps are measured."""


def measure(job: Job, workers: int | None = None) -> Cost:
    """Time a few steps of the largest fit in this process."""
    nowhere = Path()
    fits = [work.fit for work in plan_work(job, nowhere, nowhere)]
    fits = [fit.pooled for fit in fits[:1] if fit.pooled is not None] + fits
    count = workers or default_workers(job)
    if not fits:
        return Cost(0, 0, 0.0, count, 0.0)
    times = job.settings.preset.augmentation.enlargement
    steps = [resolved_steps(task.train_config, len(task.split) * times) for task in fits]
    pace = _step_seconds(max(fits, key=lambda task: len(task.split)))
    busy = min(count, len(fits))
    return Cost(len(fits), sum(steps), pace, busy, pace * max(sum(steps) / busy, *steps))


def _step_seconds(task: FitTask) -> float:
    """The mean of a few steps after a few to warm up."""
    settings, marks = task.settings, []
    generator = make_generator(settings.description, task.split.spec, settings.preset.model)

    def watch(_: Progress) -> None:
        marks.append(time.perf_counter())
        if len(marks) > _WARM_STEPS + _TIMED_STEPS:
            raise _EnoughError

    with suppress(_EnoughError):
        train(
            generator,
            enlarged(task.split, settings),
            task.train_config,
            seed=0,
            device=settings.device,
            precision=settings.precision,
            threads=settings.threads,
            report=watch,
        )
    timed = marks[min(_WARM_STEPS, len(marks) - 1) :]
    return (timed[-1] - timed[0]) / max(1, len(timed) - 1) if timed else 0.0
