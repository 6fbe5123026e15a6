"""Estimates what a run will cost from a few training steps; writes nothing."""

import math
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from genaug.classifier import BATCH as JUDGE_BATCH
from genaug.classifier import fit_classifier
from genaug.data.split import TrainSplit
from genaug.evaluation.detectability import FOLDS as DETECTORS
from genaug.evaluation.detectability import origin_split, training_steps
from genaug.executors import plugin_code
from genaug.features.crossfit import FOLDS
from genaug.fitting import CHUNK, FitTask, ModelSampler, draw_chunk, take_memory
from genaug.generator import AnyGenerator
from genaug.run.detectability import compared, detector_steps
from genaug.run.expected import expected_set
from genaug.run.harm_check import BATCH, SEEDS, check_steps
from genaug.run.job import Job, default_workers
from genaug.run.pace import TIMED_STEPS, WARM_STEPS, EnoughError, StepTime, step_time
from genaug.run.tasks import plan_tasks
from genaug.training import Progress, computing, resolved_steps, side_by_side

_TIMED_IMAGES = 32
# careful estimates: on two cores a step of a judge took 1.06 times as long beside another one as alone; in one run, 600
# new images took 15 s to select and write
_SIDE_BY_SIDE = 1.2  # factor on a step while another process trains
_CANDIDATES = 2.0  # drawn for each image that is kept, where selectors judge
_WRITING = 3.0, 0.02  # seconds for tables, sheets and the page, and for each new image, to select it too
_BASIS = {
    "measured": "",
    "estimated": " (estimated from a step of two images, since a whole one takes long)",
    "at least": " or more (even a step of two images takes longer than is measured)",
}


@dataclass(frozen=True)
class CostEstimate:
    """The estimated cost of a run.

    fits: models to train. steps: over all models. step_seconds: of the slowest generator. seconds: training time with
    this number of workers. judge_seconds: training time of the classifiers that judge candidates; 0 without selectors.
    check_seconds: training time of the classifiers of the harm check; 0 without it. detector_seconds: time to read the
    images whose origins are told apart, and to train the classifiers that do it; 0 with `check` switched off.
    draw_seconds: time to draw two candidates for each image; None where it was not measured, infinite where one chunk
    takes longer than it may. write_seconds: time to write images, sheets and the page. basis: what the time of a step
    rests on: "measured", "estimated" from two images, or "at least" where a step of two images took too long.
    """

    fits: int
    steps: int
    step_seconds: float
    workers: int
    seconds: float
    judge_seconds: float = 0.0
    check_seconds: float = 0.0
    detector_seconds: float = 0.0
    draw_seconds: float | None = None
    write_seconds: float = 0.0
    basis: str = "measured"

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def sentence(self) -> str:
        """The estimate in words."""
        if not self.fits:
            return "nothing to train: no class gets new images"
        about = "at least" if self.basis == "at least" else "about"
        return (
            f"{self.fits} fit(s), {self.steps:,} steps in all, {self.step_seconds * 1000:.0f} ms a step"
            f"{_BASIS[self.basis]}: {about} {self.seconds / 60:.1f} minutes of training with {self.workers} worker(s), "
            f"{self.judge_seconds / 60:.1f} minutes for the classifiers that judge images, "
            f"{self.detector_seconds / 60:.1f} minutes to tell generated from real images, "
            f"{self.check_seconds / 60:.1f} minutes for the harm check; drawing and writing images comes on top"
        )


class _Timer:
    """Notes the time of each step until there are enough."""

    def __init__(self) -> None:
        self._marks: list[float] = []

    def __call__(self, progress: Progress) -> None:
        """Called after each step."""
        self._marks.append(time.perf_counter())
        if len(self._marks) > WARM_STEPS + TIMED_STEPS:
            raise EnoughError

    def step_seconds(self) -> float:
        """Seconds per step, the warm-up steps left out."""
        timed = self._marks[min(WARM_STEPS, len(self._marks) - 1) :]
        return (timed[-1] - timed[0]) / max(1, len(timed) - 1) if timed else 0.0


def measure(job: Job, workers: int | None = None, *, drawing: float | None = None) -> CostEstimate:
    """Time a few steps of each generator, in this process, with the model that has the most training images.

    That takes about ten seconds at most for each, and as long again where not one step ends in that time.
    drawing: seconds that drawing one chunk of images may take; None to leave it out, since some samplers take minutes.
    """
    nowhere = Path()
    fits = [task.fit for task in plan_tasks(job, nowhere, nowhere)]
    fits = [*{task.pooled.key: task.pooled for task in fits if task.pooled is not None}.values(), *fits]
    count = workers or default_workers(job)
    if not fits:
        return CostEstimate(0, 0, 0.0, count, 0.0)
    paces: dict[str, _Pace] = {}
    for task in sorted(fits, key=lambda task: -len(task.split)):
        name = task.settings.description.name
        with plugin_code(f"the generator {name!r}"):
            paces[name] = paces.get(name) or _pace(task, drawing)
    busy = min(count, len(fits))
    slower = _slower(busy)
    steps = [_steps(task) for task in fits]
    step_seconds = [paces[task.settings.description.name].step.seconds * slower for task in fits]
    seconds = [count * each for count, each in zip(steps, step_seconds, strict=True)]
    drawn = {share.name: sum(share.plan.values()) for share in job.all_shares if share.name in paces}
    images = [count * paces[name].image for name, count in drawn.items()]
    candidates = _CANDIDATES if job.selectors else 1.0
    training = max(sum(seconds) / busy, *seconds)
    together = side_by_side(workers)
    judging, checking = _classifier_seconds(job, together)
    return CostEstimate(
        fits=len(fits),
        steps=sum(steps),
        step_seconds=max(step_seconds),
        basis=max((pace.step for pace in paces.values()), key=lambda step: step.seconds).basis,
        workers=busy,
        seconds=training,
        judge_seconds=judging,
        check_seconds=checking,
        detector_seconds=_detector_seconds(job, together) if job.config.check else 0.0,
        draw_seconds=None if drawing is None else sum(images) * candidates * slower / busy,
        write_seconds=_WRITING[0] + _WRITING[1] * sum(drawn.values()),
    )


def _slower(together: int) -> float:
    return _SIDE_BY_SIDE if together > 1 else 1.0


def _classifier_seconds(job: Job, together: int) -> tuple[float, float]:
    """Seconds to train the classifiers that judge, and those of the harm check, so many of them side by side."""
    generated = not all(share.settings.description.from_originals for share in job.shares)
    judged, checked = (job.selectors and generated) or job.config.probe, job.config.check and generated
    judges = math.ceil(FOLDS / together) * job.config.judge_steps if judged else 0
    checking = math.ceil(2 * SEEDS * FOLDS / together) * check_steps(job) if checked else 0
    train = job.loaded.train
    return (
        judges and judges * _classifier_step(train, JUDGE_BATCH) * _slower(together),
        checking and checking * _classifier_step(train, BATCH) * _slower(together),
    )


def _detector_seconds(job: Job, together: int) -> float:
    """Seconds to read the images that the run will compare, and to train the classifiers that tell their origin.

    Reading is timed on 32 images of all classes and kinds, training on what was read.
    """
    images = compared(expected_set(job), job)
    count = min(_TIMED_IMAGES, len(images.rows))
    places = np.linspace(0, len(images.rows) - 1, count).round().astype(np.int64)
    images.views(places[:1])  # the first image takes longer: libraries are loaded
    started = time.perf_counter()
    small = images.views(places).small
    reading = (time.perf_counter() - started) / count * len(images.rows)
    steps = training_steps(images.labels, images.generated, detector_steps(job)) / min(together, DETECTORS)
    every_other = np.arange(count) % 2 == 1  # as if generated: it does not matter for the time of a step
    repeated = np.resize(np.arange(count), JUDGE_BATCH)  # fewer images would make smaller batches
    split = origin_split(small, np.zeros(count, dtype=np.int64), every_other, repeated) if steps else None
    return reading if split is None else reading + steps * _classifier_step(split, JUDGE_BATCH) * _slower(together)


def _classifier_step(split: TrainSplit, batch_size: int) -> float:
    timer = _Timer()
    with suppress(EnoughError):
        fit_classifier(
            split, steps=WARM_STEPS + TIMED_STEPS + 1, seed=0, batch_size=batch_size, threads=1, report=timer
        )
    return timer.step_seconds()


def _steps(task: FitTask) -> int:
    return resolved_steps(task.train_config, len(task.split) * task.settings.preset.augmentation.enlargement)


@dataclass(frozen=True)
class _Pace:
    """The time of one training step, and seconds of one drawn image; infinite where drawing takes too long."""

    step: StepTime
    image: float


def _pace(task: FitTask, drawing: float | None) -> _Pace:
    """The pace of a generator: that of a few steps, then of one chunk of images if wanted."""
    step, generator = step_time(task)
    return _Pace(step, 0.0 if drawing is None else _image_seconds(generator, task, drawing))


def _image_seconds(generator: AnyGenerator, task: FitTask, most: float) -> float:
    """Seconds of each image of one chunk; infinite where a network is called after `most` seconds."""
    settings, started = task.settings, time.perf_counter()

    def stop_late(*_called: Any) -> None:
        if time.perf_counter() - started > most:
            raise EnoughError

    for network in generator.networks.values():
        network.register_forward_pre_hook(stop_late)
    with suppress(EnoughError), computing(settings.threads):
        take_memory(generator, task.known, seed=0, device=settings.device)
        sampler = ModelSampler(generator, settings.device, task.split.spec)
        draw_chunk(sampler, 0, 0, seed=0, name=settings.description.name)
        return (time.perf_counter() - started) / CHUNK
    return math.inf
