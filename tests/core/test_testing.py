"""The kit of generators catches faulty plugins: each fault fails the check that is meant for it."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from genaug.chance import Noise
from genaug.config import GeneratorConfig, Preset, TrainConfig, option
from genaug.errors import PluginError
from genaug.generator import Batch, Drawn, Generator
from genaug.hookspecs import GeneratorDescription, Needs
from genaug.testing import GeneratorContract
from torch import Tensor, nn

from tests.kits import run_all


class SoundConfig(GeneratorConfig):
    latent: int = option(4, "Length of the code.", unit="numbers", ge=1, le=64)


class Sound(Generator[SoundConfig]):
    """A linear generator with class embeddings that fits the images: it keeps every promise."""

    averaged = frozenset({"net"})

    def build(self) -> dict[str, nn.Module]:
        pixels = self.spec.channels * self.spec.height * self.spec.width
        parts = {"embed": nn.Embedding(len(self.spec.classes), 4), "out": nn.Linear(4 + self.config.latent, pixels)}
        return {"net": nn.ModuleDict(parts)}

    def draw(self, labels: Tensor, codes: Tensor) -> Tensor:
        net = self.networks["net"]
        assert isinstance(net, nn.ModuleDict)
        flat = torch.tanh(net["out"](torch.cat([net["embed"](labels), codes], dim=1)))
        return flat.reshape(-1, self.spec.channels, self.spec.height, self.spec.width)

    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        images = self.draw(batch.labels, batch.noise.normal(self.config.latent))
        yield "net", (images - batch.images).square().mean()

    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        return Drawn.without_parents(self.draw(labels, noise.normal(self.config.latent)))


class UnknownNetwork(Sound):
    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        yield "other", next(super().losses(batch))[1]


class VectorLoss(Sound):
    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        yield "net", next(super().losses(batch))[1].expand(2)


class InfiniteLoss(Sound):
    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        yield "net", next(super().losses(batch))[1] / 0.0


class DeadWeight(Sound):
    def build(self) -> dict[str, nn.Module]:
        net = super().build()["net"]
        net.register_parameter("unused", nn.Parameter(torch.ones(1)))
        return {"net": net}


class SoundOnBase(Sound):
    """Its codes pass through a frozen network, which is the same each time."""

    frozen = frozenset({"base"})

    def build(self) -> dict[str, nn.Module]:
        base = nn.Sequential(nn.Linear(self.config.latent, self.config.latent), nn.BatchNorm1d(self.config.latent))
        nn.init.eye_(base[0].weight)
        nn.init.zeros_(base[0].bias)
        return super().build() | {"base": base}

    def draw(self, labels: Tensor, codes: Tensor) -> Tensor:
        return super().draw(labels, self.networks["base"](codes))


class RandomBase(SoundOnBase):
    def build(self) -> dict[str, nn.Module]:
        return super().build() | {"base": nn.Linear(self.config.latent, self.config.latent)}


class AwakeBase(SoundOnBase):
    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        self.networks["base"].train()
        yield from super().losses(batch)


class SquareOnly(Sound):
    def build(self) -> dict[str, nn.Module]:
        assert self.spec.height == self.spec.width
        return super().build()


class At48(Sound):
    def build(self) -> dict[str, nn.Module]:
        assert {self.spec.height, self.spec.width} <= {48, 96}
        return super().build()


class BreaksInBf16(Sound):
    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        codes = self.networks["net"]["out"](torch.zeros(len(batch.images), 4 + self.config.latent))
        yield "net", (codes @ torch.ones(codes.shape[1], 1)).square().mean() + torch.linalg.inv(codes.T @ codes).mean()


class WrongInBf16(Sound):
    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        loss = next(super().losses(batch))[1]
        kind = torch.bfloat16 if torch.is_autocast_enabled("cpu") else torch.float32
        yield "net", ((loss + 10_000).to(kind) - 10_000).float()


class GlobalChance(Sound):
    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        yield "net", next(super().losses(batch))[1] * (1 + np.random.rand())


class Counting(Sound):
    count = 0

    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        self.count += 1
        yield "net", next(super().losses(batch))[1] * self.count


class WrongShape(Sound):
    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        return Drawn.without_parents(super().sample(labels, noise).images.transpose(2, 3))


class OutOfRange(Sound):
    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        return Drawn.without_parents(super().sample(labels, noise).images + 3)


class Neighbourly(Sound):
    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        images = super().sample(labels, noise).images
        return Drawn.without_parents((images - images.mean(dim=0)).clamp(-1, 1))


class Restless(Sound):
    calls = 0

    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        self.calls += len(labels) > 8
        return Drawn.without_parents(super().sample(labels, noise).images * 0.9**self.calls)


class Gambling(Sound):
    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        random.random()
        return super().sample(labels, noise)


class Rummaging(Sound):
    def remember(self, known: Batch) -> dict[str, Tensor]:
        return {"codes": torch.randn(len(known.images), 4)}


class Inventive(Sound):
    calls = 0

    def remember(self, known: Batch) -> dict[str, Tensor]:
        self.calls += 1
        return {"calls": torch.tensor(self.calls)}


class WithLibrary(Sound):
    """Uses a library that knows global random generators only, for one image after another."""

    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        codes = []
        for one in noise.each():
            with one.seeding():
                codes.append(torch.rand(1, self.config.latent - 1) * random.random() + np.random.rand())
                codes[-1] = torch.cat([codes[-1], one.normal(1)], dim=1)
        return Drawn.without_parents(self.draw(labels, torch.cat(codes).float()))

    def remember(self, known: Batch) -> dict[str, Tensor]:
        with known.noise.seeding():
            return {"codes": torch.randn(len(known.images), 4)}


class DeafToLabels(Sound):
    def draw(self, labels: Tensor, codes: Tensor) -> Tensor:
        return super().draw(torch.zeros_like(labels), codes)


class DeafSamples(Sound):
    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        return super().sample(torch.zeros_like(labels), noise)


class StrangeParents(Sound):
    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        return Drawn(super().sample(labels, noise).images, torch.full((len(labels), 1), 999))


class HiddenState(Sound):
    bias = 0.0

    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        self.bias = 0.5
        yield from super().losses(batch)

    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        return Drawn.without_parents((super().sample(labels, noise).images + self.bias).clamp(-1, 1))


class OpenConfig(SoundConfig):
    model_config = {"extra": "allow"}


class MeltingConfig(SoundConfig):
    model_config = {"frozen": False}


class BoundlessConfig(GeneratorConfig):
    latent: int = option(4, "Length of the code.", unit="numbers")


class SilentConfig(GeneratorConfig):
    latent: int = option(4, "", unit="numbers", ge=1, le=64)


def describe(factory: type = Sound, config: type[GeneratorConfig] = SoundConfig, **changes: Any):
    presets = {"auto": lambda spec, device: Preset(model=config(), train=TrainConfig(steps=3))}
    values = {"presets": presets, "conditioning": "class", "needs": Needs(), "api": 1} | changes
    return GeneratorDescription(
        name="sound", summary="", rank=1, config=config, factory=f"{__name__}:{factory.__name__}", **values
    )


class TestSound(GeneratorContract):
    """Sound keeps the whole contract, except that this test module imports torch."""

    generator = "sound"
    described = describe()

    def description(self) -> GeneratorDescription:
        return self.described

    def test_describing_needs_no_torch(self) -> None:
        with pytest.raises(AssertionError, match="must not import torch"):
            super().test_describing_needs_no_torch()


FAULTS = [
    (UnknownNetwork, "test_losses_are_finite_scalars_of_known_networks", "losses named 'other'; build returned"),
    (VectorLoss, "test_losses_are_finite_scalars_of_known_networks", "must be a scalar"),
    (InfiniteLoss, "test_losses_are_finite_scalars_of_known_networks", "must be finite"),
    (DeadWeight, "test_three_steps_move_every_parameter", "did not change net.unused"),
    (RandomBase, "test_networks_that_are_not_saved_stay_as_they_are_built", "base.weight is not saved, but differs"),
    (AwakeBase, "test_networks_that_are_not_saved_stay_as_they_are_built", "'base' was put into train mode"),
    (BreaksInBf16, "test_training_works_in_mixed_precision", "training in bf16 failed: cast to float32"),
    (WrongInBf16, "test_training_works_in_mixed_precision", "in bf16 the first loss of 'net' is"),
    (GlobalChance, "test_training_has_no_chance_of_its_own", "global random generator"),
    (Counting, "test_resuming_equals_never_having_stopped", "resumed, the weights differ"),
    (WrongShape, "test_images_have_the_right_shape_and_range_for_all_channels_and_sizes", "must return images"),
    (
        OutOfRange,
        "test_images_have_the_right_shape_and_range_for_all_channels_and_sizes",
        r"must return values in \[-1, 1\]",
    ),
    (Neighbourly, "test_an_image_does_not_depend_on_its_neighbours", "with its neighbours"),
    (Restless, "test_an_image_does_not_depend_on_its_neighbours", "must keep no state"),
    (Gambling, "test_sampling_leaves_global_chance_untouched", "changed a global random generator"),
    (Rummaging, "test_remember_has_no_chance_of_its_own", "remember changed a global random generator"),
    (Inventive, "test_remember_has_no_chance_of_its_own", "remember returned another 'calls' the second time"),
    (DeafToLabels, "test_labels_are_read", "the losses do not read the labels"),
    (DeafSamples, "test_labels_are_read", "another label gives the same image"),
    (StrangeParents, "test_parents_are_rows_of_the_training_split", r"got \[999\]"),
    (HiddenState, "test_a_saved_model_draws_the_same_bytes", "draws other bytes"),
]


@pytest.mark.parametrize(("fault", "promise", "words"), FAULTS, ids=[fault.__name__ for fault, _, _ in FAULTS])
def test_a_planted_fault_is_caught(fault, promise, words):
    contract = TestSound()
    contract.described = describe(fault)
    with pytest.raises(Exception, match=words):
        getattr(contract, promise)()


def test_code_that_cannot_be_imported_is_reported_when_tests_are_collected():
    with pytest.raises(PluginError, match=r"'sound' cannot be loaded from .*:Absent: AttributeError"):
        type("TestAbsent", (TestSound,), {"described": replace(describe(), factory=f"{__name__}:Absent")})


@pytest.mark.parametrize(
    ("config", "words"),
    [(OpenConfig, "refuse unknown"), (MeltingConfig, "frozen"), (BoundlessConfig, "bounds"), (SilentConfig, "descrip")],
)
def test_a_faulty_config_is_caught(config, words):
    contract = TestSound()
    contract.described = describe(Sound, config)
    with pytest.raises(AssertionError, match=words):
        contract.test_config_is_closed_frozen_documented_and_survives_json()


def test_presets_of_a_wrong_kind_are_caught():
    contract = TestSound()
    contract.described = describe(presets={"auto": lambda spec, device: {"steps": 3}})
    with pytest.raises(AssertionError, match="must return a Preset, got dict"):
        contract.test_presets_give_settings()


@pytest.mark.parametrize("kind", [SoundOnBase, WithLibrary])
def test_a_sound_generator_passes_with_a_frozen_network_and_with_a_librarys_chance(kind):
    contract = TestSound()
    contract.described = describe(kind)
    assert run_all(contract) == 17


@pytest.mark.parametrize(
    ("kind", "needs"),
    [
        (SquareOnly, Needs(square=True)),
        (SquareOnly, Needs(native=(24, 24))),
        (At48, Needs(sizes=(40, 100), multiple=48)),
        (At48, Needs(sizes=(40, 90), multiple=48)),
        (At48, Needs(native=(96, 48))),
    ],
)
def test_the_kit_uses_sizes_that_the_plugin_works_at(kind, needs):
    contract = TestSound()
    contract.described = describe(kind, needs=needs)
    contract.test_images_have_the_right_shape_and_range_for_all_channels_and_sizes()
    contract.described = describe(kind, needs=replace(needs, sizes=(16, 256), multiple=8, square=False, native=None))
    with pytest.raises(AssertionError):
        contract.test_images_have_the_right_shape_and_range_for_all_channels_and_sizes()


def test_a_plugin_that_leaves_bf16_out_need_not_train_in_it():
    contract = TestSound()
    contract.described = describe(BreaksInBf16)
    with pytest.raises(RuntimeError, match="training in bf16 failed"):
        contract.test_training_works_in_mixed_precision()
    contract.described = describe(BreaksInBf16, needs=Needs(precisions=("no",)))
    assert contract.test_training_works_in_mixed_precision() is None


def test_a_preset_of_a_precision_that_is_left_out_is_caught():
    contract = TestSound()
    train = TrainConfig(steps=3, precision="fp16")
    presets = {"auto": lambda spec, device: Preset(model=SoundConfig(), train=train)}
    contract.described = describe(presets=presets, needs=Needs(precisions=("no", "bf16")))
    with pytest.raises(AssertionError, match="preset auto trains in fp16, which the description does not list"):
        contract.test_presets_give_settings()


def test_a_sampler_that_accepts_any_label_is_caught(monkeypatch):
    monkeypatch.setattr("genaug.fitting.sampler._check_labels", lambda labels, classes: None)
    contract = TestSound()
    contract.described = describe(Sound)
    with pytest.raises(IndexError):
        contract.test_bad_labels_are_refused()
