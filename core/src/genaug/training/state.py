"""All that changes while training: networks, averages, optimisers, and the small facts a checkpoint adds to them."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from genaug.chance import seeded
from genaug.config import TrainConfig
from genaug.errors import PluginError
from genaug.generator import Trainable

Weights = Mapping[str, Mapping[str, Tensor]]  # of each network by name, as its state_dict holds them


@dataclass
class Course:
    """Where a training stands: what a checkpoint keeps besides tensors.

    step: the next one. steps: of the whole training. attempt: how often it went back after a loss that was not finite.
    rate: factor on all learning rates. stopped: by the stop rule. history: [step, {network: loss}] at regular steps.
    """

    step: int
    batch_size: int
    steps: int
    attempt: int = 0
    rate: float = 1.0
    stopped: bool = False
    history: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    scaler: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain values for a checkpoint."""
        return asdict(self)


def resolved_steps(config: TrainConfig, images: int) -> int:
    """Steps of a training on that many (enlarged) images."""
    if config.steps is not None:
        return config.steps
    return (config.epochs or 0) * math.ceil(images / min(config.batch_size, images))


class State:
    """Networks on their device, their averages and their optimisers."""

    def __init__(
        self, trainable: Trainable, *, seed: int, device: str, average_decay: float, start: Weights | None = None
    ) -> None:
        with seeded(seed, "build"):
            built = trainable.build()
        for name, weights in (start or {}).items():
            built[name].load_state_dict(dict(weights))
        trainable.networks = {name: network.to(device).train() for name, network in built.items()}
        self.networks = trainable.networks
        averaged = trainable.averaged if average_decay else frozenset()
        if strangers := averaged - self.networks.keys():
            raise PluginError(f"averaged names {', '.join(sorted(strangers))}; build made {', '.join(self.networks)}")
        self.averages = {name: _average(self.networks[name], average_decay) for name in sorted(averaged)}
        self.optimizers: dict[str, torch.optim.Optimizer] = {}
        self._trainable = trainable

    def optimizer(self, name: str) -> torch.optim.Optimizer:
        """The optimiser of a network, made when a loss first names it; remembers its own learning rates."""
        if name not in self.optimizers:
            optimizer = self._trainable.optimizer(name)
            for group in optimizer.param_groups:
                group["initial_lr"] = group["lr"]
            self.optimizers[name] = optimizer
        return self.optimizers[name]

    def drop(self) -> None:
        """Let go of all tensors."""
        self._trainable.networks, self.networks, self.averages, self.optimizers = {}, {}, {}, {}

    def tensors(self) -> dict[str, Tensor]:
        """All tensors under names that a fresh state of the same trainable understands."""
        found = {
            f"network/{name}/{key}": value
            for name, net in self.networks.items()
            for key, value in net.state_dict().items()
        }
        for name, average in self.averages.items():
            found |= {f"average/{name}/{key}": value for key, value in average.state_dict().items()}
        for name, optimizer in self.optimizers.items():
            for index, values in optimizer.state_dict()["state"].items():
                found |= {f"optimizer/{name}/{index}/{key}": torch.as_tensor(value) for key, value in values.items()}
        return {name: tensor.detach().cpu().contiguous() for name, tensor in found.items()}

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Take over the tensors of `tensors()`."""
        for name, network in self.networks.items():
            network.load_state_dict(_below(tensors, f"network/{name}/"))
        for name, average in self.averages.items():
            average.load_state_dict(_below(tensors, f"average/{name}/"))
        for name in sorted({key.split("/")[1] for key in tensors if key.startswith("optimizer/")}):
            _load_optimizer(self.optimizer(name), _below(tensors, f"optimizer/{name}/"))

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Inside the block the trainable has its networks as they would be used if the training ended now."""
        self._trainable.networks = self.finished()
        try:
            yield
        finally:
            self._trainable.networks = {name: network.train() for name, network in self.networks.items()}

    def finished(self) -> dict[str, nn.Module]:
        """The networks as they are used from now on: averages where there are some, in eval mode."""
        chosen = {
            name: self.averages[name].module if name in self.averages else net for name, net in self.networks.items()
        }
        return {name: network.eval() for name, network in chosen.items()}


def _average(network: nn.Module, decay: float) -> AveragedModel:
    """An exponential average that starts short, so that a brief training is not held back by its first steps."""

    @torch.no_grad()
    def blend(averages: Any, currents: Any, seen: Any) -> None:
        weight = 1.0 - min(decay, (1.0 + int(seen)) / (10.0 + int(seen)))
        for average, current in zip(averages, currents, strict=True):
            if average.is_floating_point():
                average.lerp_(current, weight)
            else:
                average.copy_(current)

    return AveragedModel(network, multi_avg_fn=blend, use_buffers=True)


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    values = optimizer.state_dict()
    states: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, _, key = name.partition("/")
        states.setdefault(int(index), {})[key] = tensor
    values["state"] = states
    optimizer.load_state_dict(values)
