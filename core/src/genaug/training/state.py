"""Everything that changes during a training, and so everything that a checkpoint has to hold."""

import copy
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
from genaug.training.networks import built, restore, stored_tensors

Weights = Mapping[str, Mapping[str, Tensor]]  # {network name: its state_dict}


@dataclass
class Course:
    """How far a training has come: what a checkpoint holds besides tensors.

    step: number of the next step. steps: length of the whole training.
    attempt: 1 after a restart because of a loss that was not finite, else 0.
    rate: factor on all learning rates, 0.5 after such a restart.
    stopped: whether the stop rule ended the training.
    history: (step, {network: loss}) at regular intervals.
    scaler: state of the gradient scaler; empty without fp16.
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
        """Plain values for the checkpoint."""
        return asdict(self)


def resolved_steps(config: TrainConfig, images: int) -> int:
    """Length of a training on this many images, variants included, in steps."""
    if config.steps is not None:
        return config.steps
    return (config.epochs or 0) * math.ceil(images / min(config.batch_size, images))


class State:
    """The networks on their device, their averages and their optimisers.

    start: initial weights of networks; those that it does not name start at random.
    """

    def __init__(
        self, trainable: Trainable, *, seed: int, device: str, average_decay: float, start: Weights | None = None
    ) -> None:
        self._trainable = trainable
        with seeded(seed, "build"):
            networks = built(trainable)
        for name, weights in (start or {}).items():
            restore(trainable, name, networks[name], weights)
        self.networks = {name: network.to(device) for name, network in networks.items()}
        trainable.networks = self._training()
        averaged = trainable.averaged if average_decay else frozenset()
        self.averages = {name: _average(self.networks[name], average_decay) for name in sorted(averaged)}
        self.optimizers: dict[str, torch.optim.Optimizer] = {}

    @property
    def trains(self) -> bool:
        """Whether any network can be trained."""
        return bool(self.networks.keys() - self._trainable.frozen)

    def optimizer(self, name: str) -> torch.optim.Optimizer:
        """The optimiser of a network, created at the first loss of that network; keeps its initial learning rates.

        Raises PluginError for a network that cannot be trained.
        """
        if name not in self.optimizers:
            if not any(parameter.requires_grad for parameter in self.networks[name].parameters()):
                raise PluginError(
                    f"losses named {name!r}, but no parameter of this network has a gradient; yield no loss for it, "
                    "and name it in `frozen` if it is never trained"
                )
            optimizer = self._trainable.optimizer(name)
            for group in optimizer.param_groups:
                group["initial_lr"] = group["lr"]
            self.optimizers[name] = optimizer
        return self.optimizers[name]

    def drop(self) -> None:
        """Free the memory of all tensors."""
        self._trainable.networks, self.networks, self.averages, self.optimizers = {}, {}, {}, {}

    def tensors(self) -> dict[str, Tensor]:
        """All tensors by name, in the format that `load` of a new State of the same trainable reads."""
        found: dict[str, Tensor] = {}
        for kind, networks in self._stored():
            for name, network in networks.items():
                tensors = stored_tensors(self._trainable, name, network)
                found |= {f"{kind}/{name}/{key}": value for key, value in tensors.items()}
        for name, optimizer in self.optimizers.items():
            for index, values in optimizer.state_dict()["state"].items():
                found |= {f"optimizer/{name}/{index}/{key}": torch.as_tensor(value) for key, value in values.items()}
        return {name: tensor.detach().cpu().contiguous() for name, tensor in found.items()}

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Replace all tensors by those that `tensors` returned."""
        for kind, networks in self._stored():
            for name, network in networks.items():
                restore(self._trainable, name, network, _below(tensors, f"{kind}/{name}/"))
        for name in sorted({key.split("/")[1] for key in tensors if key.startswith("optimizer/")}):
            _load_optimizer(self.optimizer(name), _below(tensors, f"optimizer/{name}/"))

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Inside the block, the trainable has the networks that it would have if the training ended now."""
        self._trainable.networks = self.finished()
        try:
            yield
        finally:
            self._trainable.networks = self._training()

    def finished(self) -> dict[str, nn.Module]:
        """The networks for use after training: the averages of those that have one, all in eval mode."""
        chosen = {
            name: self.averages[name].module if name in self.averages else net for name, net in self.networks.items()
        }
        return {name: network.eval() for name, network in chosen.items()}

    def _training(self) -> dict[str, nn.Module]:
        """The networks for training: all that are not frozen in train mode."""
        return {name: network.train(name not in self._trainable.frozen) for name, network in self.networks.items()}

    def _stored(self) -> Iterator[tuple[str, Mapping[str, nn.Module]]]:
        """The networks and the averages, each with the word by which checkpoints name them."""
        yield "network", self.networks
        yield "average", self.averages


def _average(network: nn.Module, decay: float) -> AveragedModel:
    """An exponential average whose decay rises to `decay`, so that the first weights soon count little."""

    @torch.no_grad()
    def blend(averages: Any, currents: Any, seen: Any) -> None:
        weight = 1.0 - min(decay, (1.0 + int(seen)) / (10.0 + int(seen)))
        for average, current in zip(averages, currents, strict=True):
            if average.is_floating_point():
                average.lerp_(current, weight)
            else:
                average.copy_(current)

    average = AveragedModel(nn.Module(), multi_avg_fn=blend, use_buffers=True)
    fixed = {id(parameter): parameter for parameter in network.parameters() if not parameter.requires_grad}
    average.module = copy.deepcopy(network, fixed)  # shares what is not trained, such as all of a network but adapters
    return average


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
    for parameter, kept in optimizer.state.items():
        kept |= {key: _laid_out_as(parameter, value) for key, value in kept.items()}


def _laid_out_as(parameter: Tensor, value: Any) -> Any:
    """A value of an optimiser in the memory format of its parameter, such as channels last: fused steps need that."""
    if not isinstance(value, Tensor) or value.shape != parameter.shape:
        return value
    return torch.empty_like(parameter, dtype=value.dtype).copy_(value)
