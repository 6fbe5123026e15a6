"""Checks of training: losses, updated parameters, determinism, resume."""

import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from genaug.chance import Noise, chance_states, moved_chance, same_states, seeded
from genaug.config import TrainConfig
from genaug.data.split import TrainSplit
from genaug.generator import AnyGenerator, Batch
from genaug.images import to_float
from genaug.training import Progress, built, stored_tensors, train

Make = Callable[[], AnyGenerator]
STEPS = 3
_LOOSE = 0.2  # of a loss, or of 1 for smaller losses: three bits of a number's bf16


class StoppedError(Exception):
    """Interrupts a training."""


def check_losses(make: Make, split: TrainSplit) -> None:
    """Every loss is a finite scalar of a network that was built, and depends on its weights."""
    generator = _built(make)
    with seeded(0, "losses"):
        for name, loss in generator.losses(_batch(split, split.labels)):
            assert name in generator.networks, f"losses named {name!r}; build returned {sorted(generator.networks)}"
            assert loss.ndim == 0, f"the loss of {name!r} must be a scalar, got shape {list(loss.shape)}"
            assert bool(loss.isfinite()), f"the loss of {name!r} must be finite, got {loss.item()}"
            assert loss.requires_grad, f"the loss of {name!r} does not depend on any weights"


def check_every_parameter_moves(make: Make, split: TrainSplit) -> None:
    """Three steps change every parameter of every network that has a loss."""
    before, generator, named = _built(make), make(), set[str]()
    train(generator, split, _config(split), seed=0, report=lambda progress: named.update(progress.losses))
    for name in sorted(named):
        start = dict(before.networks[name].named_parameters())
        for key, value in generator.networks[name].named_parameters():
            still = value.requires_grad and torch.equal(value, start[key])
            assert not still, f"{STEPS} steps did not change {name}.{key}; no loss depends on it"


def check_fixed_networks(make: Make, split: TrainSplit) -> None:
    """Tensors that no file holds are the same each time they are built, and training leaves them alone."""
    other, generator = make(), make()
    with seeded(1, "another build"):
        again = _fixed(other, built(other))
    awake = set[str]()

    def watch(_progress: Progress) -> None:
        networks = {name: generator.networks[name] for name in generator.frozen}
        awake.update(name for name, net in networks.items() if any(module.training for module in net.modules()))

    train(generator, split, _config(split), seed=0, report=watch)
    assert not awake, f"the frozen network {sorted(awake)[0]!r} was put into train mode"
    for key, value in _fixed(generator, generator.networks).items():
        assert torch.equal(value, again[key]), (
            f"{key} is not saved, but differs after another build and a training; load it from a file, or train it"
        )


def _fixed(generator: AnyGenerator, networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """The tensors that no file holds, by name."""
    return {
        f"{name}.{key}": value
        for name, net in networks.items()
        for key, value in net.state_dict().items()
        if name in generator.frozen | generator.adapted and key not in stored_tensors(generator, name, net)
    }


def check_mixed_precision(make: Make, split: TrainSplit) -> None:
    """Training works in bf16 on the CPU, with about the same first losses as in single precision."""
    advice = "cast to float32 where bf16 is not enough, or leave it out of Needs(precisions=...) in the description"
    try:
        half = _first_losses(make, split, "bf16")
    except Exception as error:
        error.add_note(f"training in bf16 failed: {advice}")
        raise
    for name, loss in _first_losses(make, split, "no").items():
        assert abs(half[name] - loss) <= _LOOSE * max(1.0, abs(loss)), (
            f"in bf16 the first loss of {name!r} is {half[name]:.3g}, in single precision {loss:.3g}; {advice}"
        )


def check_chance(make: Make, split: TrainSplit) -> None:
    """Training neither uses nor changes the global random generators of torch, numpy and random."""
    trained = []
    for start in (1, 2):
        with moved_chance(start):
            before = chance_states()
            trained.append(_trained(make, split))
            still = same_states(before, chance_states())
        assert still, "training changed a global random generator of torch, numpy or random"
    assert same_weights(*trained), (
        "the same seed gave other weights: the plugin uses a global random generator; use batch.noise"
    )


def check_resume(make: Make, split: TrainSplit) -> None:
    """A training that is interrupted and resumed ends with the same weights, bit for bit, as one that is not."""
    whole = _trained(make, split, steps=2 * STEPS)
    for stop in (1, 2 * STEPS - 1):
        with tempfile.TemporaryDirectory() as folder:
            again = _interrupted(make, split, Path(folder), stop)
        assert same_weights(whole, again), (
            f"interrupted after step {stop} and resumed, the weights differ; keep no counters in the generator"
        )


def check_labels_are_learnt(make: Make, split: TrainSplit) -> None:
    """Other labels for the same images change at least one loss."""
    generator = _built(make)
    values = []
    for labels in (split.labels, split.labels[::-1].copy()):
        with seeded(0, "losses"):
            values.append([loss.item() for _, loss in generator.losses(_batch(split, labels))])
    assert values[0] != values[1], "conditioning is 'class', but the losses do not read the labels"


def weights(generator: AnyGenerator) -> dict[str, Tensor]:
    """All weights and buffers by name."""
    nets = generator.networks.items()
    return {f"{name}.{key}": value for name, net in nets for key, value in net.state_dict().items()}


def same_weights(first: AnyGenerator, second: AnyGenerator) -> bool:
    """Whether two trained generators have equal weights, bit for bit."""
    one, two = weights(first), weights(second)
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def _config(split: TrainSplit, steps: int = STEPS, average: float = 0.0) -> TrainConfig:
    return TrainConfig(
        steps=steps, batch_size=min(8, len(split)), balanced=True, average_decay=average, checkpoint_steps=2
    )


def _built(make: Make) -> AnyGenerator:
    generator = make()
    with seeded(0, "build"):
        generator.networks = built(generator)
    return generator


def _trained(make: Make, split: TrainSplit, steps: int = STEPS) -> AnyGenerator:
    generator = make()
    train(generator, split, _config(split, steps, 0.9), seed=0)
    return generator


def _interrupted(make: Make, split: TrainSplit, folder: Path, stop: int) -> AnyGenerator:
    def kill(progress: Progress) -> None:
        if progress.step == stop:
            raise StoppedError

    config, generator = _config(split, 2 * STEPS, 0.9), make()
    with suppress(StoppedError):
        train(make(), split, config, seed=0, checkpoints=folder, report=kill)
    train(generator, split, config, seed=0, checkpoints=folder)
    return generator


def _first_losses(make: Make, split: TrainSplit, precision: str) -> dict[str, float]:
    seen: list[dict[str, float]] = []
    train(make(), split, _config(split), seed=0, precision=precision, report=lambda step: seen.append(step.losses))
    return seen[0] if seen else {}


def _batch(split: TrainSplit, labels: np.ndarray[Any, np.dtype[np.int64]]) -> Batch:
    count = len(split)
    arrays = (torch.from_numpy(labels), torch.from_numpy(split.rows))
    return Batch(to_float(split.images), *arrays, 0, 0.0, Noise.per_batch(0, "batch", 0, count))
