"""What a run will cost, measured on a few steps of its longest fit; nothing is written."""

import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from genaug.classifier import fit_classifier
from genaug.features.crossfit import FOLDS
from genaug.fitting.fit import FitTask, enlarged
from genaug.job import Job, default_workers
from genaug.registry import make_generator
from genaug.training import Progress, resolved_steps, train
from genaug.work import plan_work

_WARM_STEPS = 3
_TIMED_STEPS = 10


@dataclass(frozen=True)
class Cost:
    """fits: models to train. steps: over all fits. seconds: estimated training time with that many workers.

    judge_seconds: estimated time of training the classifiers that judge candidates, 0 where nobody judges.
    """

    fits: int
    steps: int
    step_seconds: float
    workers: int
    seconds: float
    judge_seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def sentence(self) -> str:
        """For people."""
        if not self.fits:
            return "nothing to train: no class gets new images"
        return (
            f"{self.fits} fit(s), {self.steps:,} steps in all, {self.step_seconds * 1000:.0f} ms a step: about "
            f"{self.seconds / 60:.1f} minutes of training with {self.workers} worker(s), "
            f"{self.judge_seconds / 60:.1f} minutes for the judges of the images, and the drawing"
        )


class _EnoughError(Exception):
    """The few steps are measured."""


class _Watch:
    """Marks the time of each step, until there are enough."""

    def __init__(self) -> None:
        self._marks: list[float] = []

    def __call__(self, progress: Progress) -> None:
        """A step is done."""
        self._marks.append(time.perf_counter())
        if len(self._marks) > _WARM_STEPS + _TIMED_STEPS:
            raise _EnoughError

    def pace(self) -> float:
        """Seconds a step after those that warm up."""
        timed = self._marks[min(_WARM_STEPS, len(self._marks) - 1) :]
        return (timed[-1] - timed[0]) / max(1, len(timed) - 1) if timed else 0.0


def measure(job: Job, workers: int | None = None) -> Cost:
    """Time a few steps of the largest fit of each generator in this process; none are timed twice."""
    nowhere = Path()
    fits = [work.fit for work in plan_work(job, nowhere, nowhere)]
    fits = [*{task.pooled.key: task.pooled for task in fits if task.pooled is not None}.values(), *fits]
    count = workers or default_workers(job)
    if not fits:
        return Cost(0, 0, 0.0, count, 0.0)
    paces: dict[str, float] = {}
    for task in sorted(fits, key=lambda task: -len(task.split)):
        name = task.settings.description.name
        paces[name] = paces[name] if name in paces else _step_seconds(task)
    steps = [_steps(task) for task in fits]
    seconds = [count * paces[task.settings.description.name] for task, count in zip(fits, steps, strict=True)]
    busy = min(count, len(fits))
    training = max(sum(seconds) / busy, *seconds)
    return Cost(len(fits), sum(steps), max(paces.values()), busy, training, _judge_seconds(job))


def _judge_seconds(job: Job) -> float:
    if not job.selectors or not any(share.settings.description.judged for share in job.shares):
        return 0.0
    watch = _Watch()
    with suppress(_EnoughError):
        fit_classifier(job.loaded.train, steps=job.config.judge_steps, seed=0, report=watch)
    return FOLDS * job.config.judge_steps * watch.pace()


def _steps(task: FitTask) -> int:
    return resolved_steps(task.train_config, len(task.split) * task.settings.preset.augmentation.enlargement)


def _step_seconds(task: FitTask) -> float:
    """The mean of a few steps after a few to warm up."""
    settings, watch = task.settings, _Watch()
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
            report=watch,
        )
    return watch.pace()
