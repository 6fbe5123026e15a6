"""How long a training step of a generator takes: measured for some seconds at most, else estimated from few images."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from genaug.config import changed
from genaug.data.split import TrainSplit
from genaug.fitting import FitTask, generator_spec, resized
from genaug.generator import AnyGenerator
from genaug.registry import make_generator
from genaug.training import Progress, train

LIMIT = 10.0
"""Seconds after which no further step is begun; a first step that is still in a forward pass then is given up."""
WARM_STEPS = 3
TIMED_STEPS = 10
_FEW = 2  # images; batch norm needs two


class EnoughError(Exception):
    """Enough was measured."""


@dataclass(frozen=True)
class StepTime:
    """Seconds of one step, and what they rest on.

    basis: "measured" of whole steps, "estimated" from a step of two images, or "at least", where that too took longer
    than it may.
    """

    seconds: float
    basis: Literal["measured", "estimated", "at least"] = "measured"


def step_time(
    task: FitTask, *, limit: float = LIMIT, clock: Callable[[], float] = time.perf_counter
) -> tuple[StepTime, AnyGenerator]:
    """The time of a training step of a model, and its generator after the steps that were timed.

    Only as many images are prepared as a step needs. clock: the time in seconds.
    """
    batch = min(task.train_config.batch_size, len(task.split) * task.settings.preset.augmentation.enlargement)
    seconds, generator = _timed(task, batch, limit, clock)
    if seconds is not None:
        return StepTime(seconds), generator
    if batch <= _FEW:
        return StepTime(limit, "at least"), generator
    seconds, generator = _timed(task, _FEW, limit, clock)
    share = batch / _FEW
    return StepTime(limit * share, "at least") if seconds is None else StepTime(seconds * share, "estimated"), generator


def _timed(task: FitTask, batch: int, limit: float, clock: Callable[[], float]) -> tuple[float | None, AnyGenerator]:
    """Seconds of a step with so many images; None where the first one took too long."""
    settings = task.settings
    own_spec = generator_spec(settings.description, task.split.spec)
    generator = make_generator(settings.description, own_spec, settings.preset.model)
    steps = {"steps": WARM_STEPS + TIMED_STEPS + 1, "batch_size": batch, "warmup_steps": 0, "stop_at_copies": None}
    timer = _Timer(generator, limit, clock)
    with suppress(EnoughError):
        train(
            generator,
            resized(_first(task.split, batch), own_spec),
            changed(task.train_config, steps, "train"),
            seed=0,
            device=settings.device,
            precision=settings.precision,
            threads=settings.threads,
            report=timer.end,
            order=timer,
        )
    return timer.seconds(), generator


def _first(split: TrainSplit, count: int) -> TrainSplit:
    """So many images, the same again and again where there are fewer."""
    rows = np.resize(np.arange(len(split)), count)
    names = tuple(split.names[row] for row in rows)
    return replace(split, images=split.images[rows], labels=split.labels[rows], rows=split.rows[rows], names=names)


class _Timer:
    """Times each step, from the choice of its rows to its report, and ends the training when the time is over."""

    def __init__(self, generator: AnyGenerator, limit: float, clock: Callable[[], float]) -> None:
        self._generator, self._limit, self._clock = generator, limit, clock
        self._steps: list[float] = []
        self._first: float | None = None  # when the first step began
        self._last = 0.0  # when the last one began

    def rows(self, step: int, batch_size: int) -> NDArray[np.int64]:
        """The rows of a step, which begins; as an order of the training loop."""
        self._last = self._clock()
        if self._first is None:
            self._first = self._last
            for network in self._generator.networks.values():
                for module in network.modules():
                    module.register_forward_pre_hook(self._give_up)
        return np.arange(batch_size)

    def end(self, _progress: Progress) -> None:
        """A step has ended."""
        self._steps.append(self._clock() - self._last)
        if len(self._steps) >= WARM_STEPS + TIMED_STEPS or self._is_over():
            raise EnoughError

    def seconds(self) -> float | None:
        """The mean time of a step, the first ones left out where there are others.

        0 where there was nothing to train, None where the first step took too long.
        """
        if self._first is None:
            return 0.0
        timed = self._steps[min(WARM_STEPS, len(self._steps) - 1) :]
        return sum(timed) / len(timed) if timed else None

    def _is_over(self) -> bool:
        return self._first is not None and self._clock() - self._first > self._limit

    def _give_up(self, *_called: Any) -> None:
        if not self._steps and self._is_over():
            raise EnoughError
