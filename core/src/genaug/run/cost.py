"""Estimates what a run will cost from a few training steps; writes nothing."""

import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from genaug.classifier import fit_classifier
from genaug.features.crossfit import FOLDS
from genaug.fitting.fit import FitTask, enlarged
from genaug.registry import make_generator
from genaug.run.harm_check import BATCH, SEEDS, check_steps
from genaug.run.job import Job, default_workers
from genaug.run.tasks import plan_tasks
from genaug.training import Progress, resolved_steps, train

_WARM_STEPS = 3
_TIMED_STEPS = 10


@dataclass(frozen=True)
class CostEstimate:
    """The estimated cost of a run.

    fits: models to train. steps: over all models. step_seconds: of the slowest generator. seconds: training time with
    this number of workers. judge_seconds: training time of the classifiers that judge candidates; 0 without selectors.
    check_seconds: training time of the classifiers of the harm check; 0 without it.
    """

    fits: int
    steps: int
    step_seconds: float
    workers: int
    seconds: float
    judge_seconds: float = 0.0
    check_seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def sentence(self) -> str:
        """The estimate in words."""
        if not self.fits:
            return "nothing to train: no class gets new images"
        return (
            f"{self.fits} fit(s), {self.steps:,} steps in all, {self.step_seconds * 1000:.0f} ms a step: about "
            f"{self.seconds / 60:.1f} minutes of training with {self.workers} worker(s), "
            f"{self.judge_seconds / 60:.1f} minutes for the classifiers that judge images, "
            f"{self.check_seconds / 60:.1f} minutes for the harm check; drawing images comes on top"
        )


class _EnoughError(Exception):
    """Enough steps were measured."""


class _Timer:
    """Notes the time of each step until there are enough."""

    def __init__(self) -> None:
        self._marks: list[float] = []

    def __call__(self, progress: Progress) -> None:
        """Called after each step."""
        self._marks.append(time.perf_counter())
        if len(self._marks) > _WARM_STEPS + _TIMED_STEPS:
            raise _EnoughError

    def step_seconds(self) -> float:
        """Seconds per step, the warm-up steps left out."""
        timed = self._marks[min(_WARM_STEPS, len(self._marks) - 1) :]
        return (timed[-1] - timed[0]) / max(1, len(timed) - 1) if timed else 0.0


def measure(job: Job, workers: int | None = None) -> CostEstimate:
    """Time a few steps of each generator, in this process, with the model that has the most training images."""
    nowhere = Path()
    fits = [task.fit for task in plan_tasks(job, nowhere, nowhere)]
    fits = [*{task.pooled.key: task.pooled for task in fits if task.pooled is not None}.values(), *fits]
    count = workers or default_workers(job)
    if not fits:
        return CostEstimate(0, 0, 0.0, count, 0.0)
    seconds_by_name: dict[str, float] = {}
    for task in sorted(fits, key=lambda task: -len(task.split)):
        name = task.settings.description.name
        seconds_by_name[name] = seconds_by_name[name] if name in seconds_by_name else _step_seconds(task)
    steps = [_steps(task) for task in fits]
    seconds = [count * seconds_by_name[task.settings.description.name] for task, count in zip(fits, steps, strict=True)]
    busy = min(count, len(fits))
    training = max(sum(seconds) / busy, *seconds)
    classifiers = _classifier_seconds(job)
    return CostEstimate(len(fits), sum(steps), max(seconds_by_name.values()), busy, training, *classifiers)


def _classifier_seconds(job: Job) -> tuple[float, float]:
    """Seconds to train the classifiers that judge, and those of the harm check."""
    generated = not all(share.settings.description.from_originals for share in job.shares)
    judges = FOLDS * job.config.judge_steps if (job.selectors and generated) or job.config.probe else 0
    checking = 2 * SEEDS * FOLDS * check_steps(job) if job.config.check and generated else 0
    return judges and judges * _classifier_step(job, 64), checking and checking * _classifier_step(job, BATCH)


def _classifier_step(job: Job, batch_size: int) -> float:
    timer = _Timer()
    with suppress(_EnoughError):
        fit_classifier(job.loaded.train, steps=job.config.judge_steps, seed=0, batch_size=batch_size, report=timer)
    return timer.step_seconds()


def _steps(task: FitTask) -> int:
    return resolved_steps(task.train_config, len(task.split) * task.settings.preset.augmentation.enlargement)


def _step_seconds(task: FitTask) -> float:
    """The mean of a few steps after a few to warm up."""
    settings, timer = task.settings, _Timer()
    generator = make_generator(settings.description, task.split.spec, settings.preset.model)

    with suppress(_EnoughError):
        train(
            generator,
            enlarged(task),
            task.train_config,
            seed=0,
            device=settings.device,
            precision=settings.precision,
            threads=settings.threads,
            report=timer,
        )
    return timer.step_seconds()
