"""Networks that are frozen, adapted or tied: what trains, in which mode it is, and what files hold."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from genaug.config import GeneratorConfig, TrainConfig
from genaug.errors import PluginError
from genaug.fitting import load_generator, save_model
from genaug.generator import Batch
from genaug.training import train
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.utils.parametrizations import orthogonal

from tests.models import TINY, TinyGAN, same

CONFIG = TrainConfig(steps=6, batch_size=4, average_decay=0.9, checkpoint_steps=2)


class OnBase(TinyGAN):
    """Its decoder is trained on top of a frozen network with dropout and batch norm."""

    averaged = frozenset({"decoder"})
    frozen = frozenset({"base"})
    modes: list[bool]

    def build(self) -> dict[str, nn.Module]:
        base = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Dropout(0.5))
        nn.init.constant_(base[0].weight, 0.5)
        nn.init.constant_(base[0].bias, 0.1)
        return {"base": base, "decoder": nn.Linear(8, self.spec.height * self.spec.width)}

    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        base = self.networks["base"]
        self.modes = [*getattr(self, "modes", []), *(module.training for module in base.modules())]
        images = self.networks["decoder"](base(batch.noise.normal(8)))
        yield "decoder", (images - batch.images.flatten(1)).square().mean()


def trained(kind: type[TinyGAN], split, **options) -> TinyGAN:
    model = kind(split.spec, GeneratorConfig())
    train(model, split, CONFIG, seed=1, **options)
    return model


def saved(model: TinyGAN, split, folder: Path) -> Path:
    path = folder / "model.safetensors"
    result = train(model, split, CONFIG, seed=1)
    facts = {"key": "k", "generator": "tried", "plugin": "p", "core": "c", "seed": 1, "device": "cpu", "threads": 1}
    save_model(path, model, result, facts | {"label": None, "model": {}})
    return path


def reloaded(path: Path, kind: type[TinyGAN], monkeypatch) -> TinyGAN:
    monkeypatch.setattr("genaug.registry.import_factory", lambda description: kind)
    return load_generator(path, TINY)


def test_a_frozen_network_stays_as_it_is_in_eval_mode_and_without_gradients(split):
    model = trained(OnBase, split)
    fresh = OnBase(split.spec, GeneratorConfig()).build()["base"]
    assert not any(model.modes)
    assert not any(one.requires_grad for one in model.networks["base"].parameters())
    assert same(model.networks["base"].state_dict(), fresh.state_dict()), "batch norm counted nothing"


def test_a_stop_rule_leaves_a_frozen_network_in_eval_mode(split):
    model = trained(OnBase, split, stop=lambda step: False)
    assert not any(model.modes)


def test_a_frozen_network_is_in_no_checkpoint_and_in_no_saved_model(split, tmp_path, monkeypatch):
    model = OnBase(split.spec, GeneratorConfig())
    train(model, split, CONFIG, seed=1, checkpoints=tmp_path / "checkpoints")
    (checkpoint,) = (tmp_path / "checkpoints").iterdir()
    assert b"network/decoder" in checkpoint.read_bytes()
    assert b"base" not in checkpoint.read_bytes()
    path = saved(model, split, tmp_path)
    assert {name.split("/")[1] for name in load_file(path)} == {"decoder"}
    again = reloaded(path, OnBase, monkeypatch)
    assert same(again.networks["base"].state_dict(), model.networks["base"].state_dict())
    assert same(again.networks["decoder"].state_dict(), model.networks["decoder"].state_dict())


class AllFrozen(OnBase):
    averaged = frozenset[str]()
    frozen = frozenset({"base", "decoder"})


def test_a_generator_with_frozen_networks_alone_trains_nothing(split):
    model = trained(AllFrozen, split)
    assert not hasattr(model, "modes")
    assert not any(one.training for one in model.networks.values())


class LossOfBase(OnBase):
    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        yield "base", next(super().losses(batch))[1]


class FixedByHand(OnBase):
    frozen = frozenset[str]()

    def build(self) -> dict[str, nn.Module]:
        networks = super().build()
        networks["decoder"].requires_grad_(False)
        return networks


class Detached(OnBase):
    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        yield "decoder", next(super().losses(batch))[1].detach()


class Strange(OnBase):
    frozen = frozenset({"bass"})


class Contradictory(OnBase):
    averaged = frozenset({"base"})


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (LossOfBase, "losses named 'base', but no parameter of this network has a gradient"),
        (FixedByHand, "losses named 'decoder', but no parameter of this network has a gradient"),
        (Detached, "the loss of 'decoder' depends on no weights that can be trained"),
        (Strange, "frozen names bass; build returned base, decoder"),
        (Contradictory, "frozen names base, which averaged or adapted name too"),
    ],
)
def test_a_network_that_cannot_be_trained_is_named(split, kind, words):
    with pytest.raises(PluginError, match=words):
        trained(kind, split)


class Adapted(TinyGAN):
    """A fixed matrix plus the product of two small ones that are trained, as LoRA (arXiv 2106.09685) does it."""

    averaged = frozenset({"net"})
    adapted = frozenset({"net"})

    def build(self) -> dict[str, nn.Module]:
        base = nn.Linear(8, self.spec.height * self.spec.width)
        for parameter in base.parameters():
            nn.init.constant_(parameter.requires_grad_(False), 0.3)
        return {"net": nn.ModuleDict({"base": base, "down": nn.Linear(8, 2), "up": nn.Linear(2, 256)})}

    def draw(self, codes: Tensor) -> Tensor:
        net = self.networks["net"]
        return net["base"](codes) + net["up"](net["down"](codes))

    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        yield "net", (self.draw(batch.noise.normal(8)) - batch.images.flatten(1)).square().mean()


class AdaptedByAll(Adapted):
    def optimizer(self, name: str) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.networks[name].parameters(), lr=1e-2)


@pytest.mark.parametrize("kind", [Adapted, AdaptedByAll])
def test_only_parameters_with_gradients_are_trained_and_saved(split, tmp_path, monkeypatch, kind):
    model = kind(split.spec, GeneratorConfig())
    path = saved(model, split, tmp_path)
    net = model.networks["net"]
    assert torch.equal(net["base"].weight, torch.full_like(net["base"].weight, 0.3))
    assert {name.split("/")[2] for name in load_file(path)} == {"down.weight", "down.bias", "up.weight", "up.bias"}
    again = reloaded(path, kind, monkeypatch)
    codes = torch.linspace(-1, 1, 16).reshape(2, 8)
    assert torch.equal(again.draw(codes), model.draw(codes))


def test_adapters_are_averaged_and_what_is_fixed_is_held_once(split):
    plain, averaged = Adapted(split.spec, GeneratorConfig()), Adapted(split.spec, GeneratorConfig())
    train(plain, split, CONFIG.model_copy(update={"average_decay": 0.0}), seed=1)
    bases = []
    train(averaged, split, CONFIG, seed=1, report=lambda _: bases.append(averaged.networks["net"]["base"].weight))
    assert not torch.equal(plain.networks["net"]["up"].weight, averaged.networks["net"]["up"].weight)
    assert averaged.networks["net"]["base"].weight is bases[0]


class Stopped(BaseException):
    """Interrupts a training."""


@pytest.mark.parametrize("kind", [OnBase, Adapted])
def test_resuming_equals_never_having_stopped(split, weights, tmp_path, kind):
    whole, broken = trained(kind, split), kind(split.spec, GeneratorConfig())

    def kill(progress) -> None:
        if progress.step == 3:
            raise Stopped

    with pytest.raises(Stopped):
        train(broken, split, CONFIG, seed=1, checkpoints=tmp_path, report=kill)
    train(broken, split, CONFIG, seed=1, checkpoints=tmp_path)
    assert same(weights(whole), weights(broken))


class Tied(TinyGAN):
    """Tensors in one place in memory: a tied parameter, a view of a buffer, a second parameter on the same data."""

    averaged = frozenset[str]()

    def build(self) -> dict[str, nn.Module]:
        net = nn.ModuleDict({"first": nn.Linear(8, 8), "last": nn.Linear(8, 8), "twin": nn.Linear(8, 8)})
        net["last"].weight = net["first"].weight
        net["twin"].bias = nn.Parameter(net["last"].bias.data)
        net.register_buffer("table", torch.arange(12.0))
        net.register_buffer("part", net.table[4:8])
        return {"net": net}

    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        net = self.networks["net"]
        yield "net", net["last"](net["first"](batch.noise.normal(8))).square().mean()


class TiedAverage(Tied):
    averaged = frozenset({"net"})

    def build(self) -> dict[str, nn.Module]:
        net = super().build()["net"]
        net["twin"] = nn.Linear(8, 8)
        return {"net": net}


@pytest.mark.parametrize("kind", [Tied, TiedAverage])
def test_tied_tensors_are_saved_once_and_are_tied_again(split, tmp_path, monkeypatch, kind):
    model = kind(split.spec, GeneratorConfig())
    train(model, split, CONFIG, seed=1, checkpoints=tmp_path / "checkpoints")
    path = saved(model, split, tmp_path)
    names = {name.split("/")[2] for name in load_file(path)}
    assert {"first.weight", "last.bias", "part"} <= names
    assert "last.weight" not in names
    assert ("twin.bias" in names) == (kind is TiedAverage)
    again = reloaded(path, kind, monkeypatch)
    assert again.networks["net"]["last"].weight is again.networks["net"]["first"].weight
    assert same(again.networks["net"].state_dict(), model.networks["net"].state_dict())


class Parametrized(Tied):
    def build(self) -> dict[str, nn.Module]:
        return {"net": nn.ModuleDict({"first": orthogonal(nn.Linear(8, 8)), "last": nn.Linear(8, 8)})}


def test_parametrized_networks_are_saved_whole(split, tmp_path, monkeypatch):
    model = Parametrized(split.spec, GeneratorConfig())
    again = reloaded(saved(model, split, tmp_path), Parametrized, monkeypatch)
    assert same(again.networks["net"].state_dict(), model.networks["net"].state_dict())
