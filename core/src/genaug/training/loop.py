"""The training loop: batches, losses, optimiser steps, averages and checkpoints, and what happens when a step fails."""

import copy
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate.optimizer import AcceleratedOptimizer
from accelerate.utils.memory import should_reduce_batch_size
from torch import Tensor, nn

from genaug.chance import Noise, seeded
from genaug.config import TrainConfig
from genaug.data.split import TrainSplit
from genaug.errors import PluginError, TrainingError
from genaug.generator import Batch, Trainable
from genaug.images import to_float
from genaug.storage import stage_hash
from genaug.training.checkpoint import Checkpoints
from genaug.training.hardware import computing, make_accelerator
from genaug.training.order import Order, RowOrder
from genaug.training.state import Course, State, Weights, resolved_steps

_HISTORY_POINTS, _CHECKPOINTS = 200, 20


@dataclass(frozen=True)
class Progress:
    """What the loop reports after each step: steps done, steps in total, and the last loss of each network."""

    step: int
    steps: int
    losses: dict[str, float]


@dataclass(frozen=True)
class Trained:
    """The result of a training: networks for use, its length, its last batch size, and losses at regular steps."""

    networks: dict[str, nn.Module]
    steps: int
    batch_size: int
    history: list[tuple[int, dict[str, float]]]


def train(
    trainable: Trainable,
    split: TrainSplit,
    config: TrainConfig,
    *,
    seed: int,
    device: str = "cpu",
    precision: str = "no",
    threads: int | None = None,
    checkpoints: Path | None = None,
    report: Callable[[Progress], None] | None = None,
    start: Weights | None = None,
    stop: Callable[[int], bool] | None = None,
    order: RowOrder | None = None,
) -> Trained:
    """Train on a split and fill `trainable.networks`.

    device, precision: resolved values, such as "cpu" or "cuda:0", and "no", "bf16" or "fp16".
    checkpoints: folder for checkpoints. If it holds one of the same training, that training is continued and ends with
        the same weights, bit for bit, as without the interruption. An exception raised by `report` interrupts too.
    start: initial weights. order: the rows of each step, in place of `config.balanced`; checkpoints do not record it.
    stop: stop rule, called at each checkpoint with the number of steps done, while the networks are as they would be
        after the training. If it returns True, the training ends with the weights of the checkpoint before.
    Raises TrainingError for a second loss that is not finite, or if memory is too small for one image.
    """
    with computing(threads):
        loop = _Loop(trainable, split, config, seed, device, precision, checkpoints, start, stop, order)
        return loop.run(report)


class _NotFiniteError(ArithmeticError):
    """A loss is infinite or not a number."""


class _Loop:
    def __init__(
        self,
        trainable: Trainable,
        split: TrainSplit,
        config: TrainConfig,
        seed: int,
        device: str,
        precision: str,
        checkpoints: Path | None,
        start: Weights | None,
        stop: Callable[[int], bool] | None,
        order: RowOrder | None,
    ) -> None:
        self._trainable, self._split, self._config = trainable, split, config
        self._seed, self._device = seed, device
        self._start, self._stop = start, stop
        self._last_saved: tuple[dict[str, Tensor], dict[str, Any]] | None = None  # kept for the stop rule
        self._order = order or Order(split.labels, seed=seed, balanced=config.balanced)
        self._accelerator = make_accelerator(device, precision)
        key = stage_hash([config.model_dump(), split.fingerprint, seed, device, precision, torch.get_num_threads()])
        self._checkpoints = Checkpoints(checkpoints, key) if checkpoints else None
        self._restore()

    def run(self, report: Callable[[Progress], None] | None) -> Trained:
        """Do all steps that are left."""
        while self._state.trains and self._course.step < self._course.steps and not self._course.stopped:
            fault = None
            try:
                losses = self._step()
            except _NotFiniteError as error:
                fault = str(error)
            except RuntimeError as error:
                if not should_reduce_batch_size(error):
                    raise
            else:
                self._finish_step(losses)
                if report is not None:
                    report(Progress(self._course.step, self._course.steps, losses))
                continue
            self._free_memory()  # outside `except`, since the exception keeps alive all tensors of the failed step
            if fault:
                self._restart_with_half_the_rate(fault)
            else:
                self._restart_with_half_the_batch()
        self._trainable.networks = self._state.finished()
        return Trained(self._trainable.networks, self._course.step, self._course.batch_size, self._course.history)

    def _step(self) -> dict[str, float]:
        """Run `losses` once, updating each network before `losses` continues; returns the last loss of each network."""
        found: dict[str, float] = {}
        with seeded(self._seed, "step", self._course.step):
            pairs = self._trainable.losses(self._batch())
            while True:
                with self._accelerator.autocast():
                    name, loss = next(pairs, (None, None))
                if name is None or loss is None:
                    return found
                found[name] = self._checked(name, loss)
                self._update(name, loss)

    def _batch(self) -> Batch:
        step, size = self._course.step, self._course.batch_size
        index = self._order.rows(step, size)
        images = to_float(self._split.images[index]).to(self._device)
        labels = torch.from_numpy(self._split.labels[index]).to(self._device)
        rows = torch.from_numpy(self._split.rows[index]).to(self._device)
        noise = Noise.per_batch(self._seed, "batch", step, size, self._device)
        return Batch(images, labels, rows, step, step / self._course.steps, noise)

    def _checked(self, name: str, loss: Tensor) -> float:
        if name not in self._state.networks:
            raise PluginError(f"losses named {name!r}; build returned {', '.join(self._state.networks)}")
        if not loss.requires_grad and torch.is_grad_enabled():
            raise PluginError(f"the loss of {name!r} depends on no weights that can be trained")
        value = loss.item()
        if not math.isfinite(value):
            raise _NotFiniteError(f"the loss of {name!r} was {value} at step {self._course.step}")
        return value

    def _update(self, name: str, loss: Tensor) -> None:
        """Add the gradients of one loss to its own network; update its weights after `accumulation` losses."""
        optimizer, batches = self._optimizer(name), self._config.accumulation
        parameters = [one for group in optimizer.param_groups for one in group["params"] if one.requires_grad]
        if self._losses_seen[name] % batches == 0:
            optimizer.zero_grad()
        self._losses_seen[name] += 1
        self._accelerator.backward(loss / batches, inputs=parameters)
        if self._losses_seen[name] % batches and self._course.step + 1 < self._course.steps:
            return
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"] * self._rate()
        if self._config.clip_norm is not None:
            self._accelerator.unscale_gradients(optimizer)
            nn.utils.clip_grad_norm_(parameters, self._config.clip_norm)
        optimizer.step()
        if name in self._state.averages:
            self._state.averages[name].update_parameters(self._state.networks[name])

    def _optimizer(self, name: str) -> AcceleratedOptimizer:
        if name not in self._prepared:
            self._prepared[name] = self._accelerator.prepare_optimizer(self._state.optimizer(name))
        return self._prepared[name]

    def _rate(self) -> float:
        """Factor on the initial learning rates: linear warm-up, then constant or half a cosine down."""
        # Not a torch or diffusers scheduler: as a pure function of the step it needs no state, so a resume is bitwise.
        step, warmup = self._course.step, self._config.warmup_steps
        if step < warmup:
            return self._course.rate * (step + 1) / warmup
        if self._config.schedule == "constant":
            return self._course.rate
        share = (step - warmup) / max(1, self._course.steps - warmup)
        left = self._config.final_rate
        return self._course.rate * (left + (1.0 - left) * 0.5 * (1.0 + math.cos(math.pi * share)))

    def _finish_step(self, losses: dict[str, float]) -> None:
        """Count the step, record its losses at regular intervals, and save a checkpoint when one is due."""
        if self._course.step % math.ceil(self._course.steps / _HISTORY_POINTS) == 0:
            self._course.history.append((self._course.step, losses))
        self._course.step += 1
        due = self._config.checkpoint_steps or math.ceil(self._course.steps / _CHECKPOINTS)
        due = math.ceil(due / self._config.accumulation) * self._config.accumulation  # gradients are not saved
        if self._course.step % due == 0 or self._course.step == self._course.steps:
            self._apply_stop_rule()
            self._save()

    def _apply_stop_rule(self) -> None:
        """End the training if the stop rule says so, with the weights of the last checkpoint if there is one."""
        if self._stop is None:
            return
        with self._state.in_use():
            stopped = self._stop(self._course.step)
        if stopped and self._last_saved is not None:
            self._load(self._last_saved)
        self._course.stopped = stopped

    def _save(self) -> None:
        scaler = self._accelerator.scaler
        self._course.scaler = scaler.state_dict() if scaler else {}
        tensors, facts = self._state.tensors(), self._course.to_json()
        if self._stop is not None:
            self._last_saved = ({name: tensor.clone() for name, tensor in tensors.items()}, facts)
        if self._checkpoints:
            self._checkpoints.save(tensors, facts)

    def _restore(self) -> None:
        """Go to the last checkpoint, or to the start if there is none."""
        self._initialise()
        saved = self._checkpoints.load() if self._checkpoints else None
        self._last_saved = saved
        if saved is not None:
            self._load(saved)
            if self._accelerator.scaler and self._course.scaler:
                self._accelerator.scaler.load_state_dict(self._course.scaler)

    def _load(self, saved: tuple[dict[str, Tensor], dict[str, Any]]) -> None:
        self._state.load(saved[0])
        self._course = Course(**copy.deepcopy(saved[1]))

    def _initialise(self) -> None:
        self._state = State(
            self._trainable,
            seed=self._seed,
            device=self._device,
            average_decay=self._config.average_decay,
            start=self._start,
        )
        size = min(self._config.batch_size, len(self._split))
        self._course = Course(0, size, resolved_steps(self._config, len(self._split)))
        self._prepared: dict[str, AcceleratedOptimizer] = {}
        self._losses_seen: Counter[str] = Counter()  # number of losses of each network so far

    def _free_memory(self) -> None:
        """Free the memory of networks and optimisers before new ones of the same size are built."""
        self._state.drop()
        self._prepared.clear()
        self._accelerator.free_memory()

    def _restart_with_half_the_rate(self, fault: str) -> None:
        """After a loss that is not finite, go back with half the learning rate; raises TrainingError the second time.

        Goes back to the last checkpoint, or to the start if that checkpoint already holds the weights that failed.
        """
        failed, size = self._course.step, self._course.batch_size
        if not self._course.attempt:
            self._restore()
        if self._course.attempt:
            raise TrainingError(
                f"{fault}, and again after going back with half the learning rate; lower the learning rate, or train "
                "with precision=no"
            )
        if self._course.step == failed:
            self._free_memory()
            self._initialise()
        self._course.attempt, self._course.rate = 1, 0.5
        self._shrink(size)

    def _restart_with_half_the_batch(self) -> None:
        """After memory ran out, go to the last checkpoint with half the batch; raises TrainingError if it was 1."""
        size = self._course.batch_size // 2
        if not size:
            raise TrainingError(
                f"memory is too small for one image of {self._split.spec.height}x{self._split.spec.width}; "
                "use a smaller --size or preset"
            )
        attempt, rate = self._course.attempt, self._course.rate
        self._restore()
        self._course.attempt, self._course.rate = attempt, rate
        self._shrink(size)

    def _shrink(self, size: int) -> None:
        """Use batches of at most `size` images from now on. A length given in epochs then takes more steps."""
        before, self._course.batch_size = self._course.batch_size, min(size, self._course.batch_size)
        if self._config.epochs and self._config.steps is None:
            images_left = (self._course.steps - self._course.step) * before
            self._course.steps = self._course.step + math.ceil(images_left / self._course.batch_size)
