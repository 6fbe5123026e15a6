"""A plan measures a step for some seconds at most: whole steps, else two images, else a lower bound."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from genaug.config import AugmentationConfig, GeneratorConfig, Preset, TrainConfig
from genaug.fitting import FitSettings, FitTask
from genaug.registry import Source
from genaug.run.cost import CostEstimate
from genaug.run.pace import StepTime, step_time
from torch import nn

from tests.models import TINY, TinyGAN


class Time:
    """A clock that only networks move."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Layer(nn.Module):
    """Takes so many seconds for each image."""

    def __init__(self, clock: Time, seconds: float, seen: list[int]) -> None:
        super().__init__()
        self.clock, self.seconds, self.seen = clock, seconds, seen

    def forward(self, images):
        self.seen.append(len(images))
        self.clock.now += self.seconds * len(images)
        return images


class Untrained(TinyGAN):
    averaged = frozenset[str]()

    def build(self):
        return {}


def task_of(monkeypatch, kind: type[TinyGAN], split, batch: int) -> FitTask:
    """The task of a generator of this class."""
    monkeypatch.setattr("genaug.registry.import_factory", lambda description: kind)
    train = TrainConfig(epochs=3, batch_size=batch, warmup_steps=100)
    preset = Preset(model=GeneratorConfig(), train=train, augmentation=AugmentationConfig(enlargement=100))
    source = Source("slow", "1", "slow")
    settings = FitSettings(TINY, source, "", "1", preset, 0, "cpu", "no", 1, 1)
    return FitTask(settings, split, None, Path(), Path())


def measured(monkeypatch, split, seconds: float, batch: int = 8):
    """The time of a step with two such layers, and the images that each call of a layer saw."""
    clock, seen = Time(), []

    class Slow(TinyGAN):
        def build(self):
            networks = super().build()
            layers = [Layer(clock, seconds, seen) for _ in range(2)]
            return networks | {"generator": nn.Sequential(*layers, networks["generator"])}

    task = task_of(monkeypatch, Slow, split, batch)
    return step_time(task, limit=10.0, clock=clock)[0], seen


def test_a_generator_that_trains_nothing_takes_no_time(split, monkeypatch):
    assert step_time(task_of(monkeypatch, Untrained, split, 8))[0] == StepTime(0.0, "measured")


def test_fast_steps_are_measured_after_a_few_to_warm_up(split, monkeypatch):
    found, seen = measured(monkeypatch, split, 0.001)
    assert found.seconds == pytest.approx(0.016)
    assert found.basis == "measured"
    assert seen == [8] * 2 * 13


def test_slow_steps_are_measured_until_the_time_is_over(split, monkeypatch):
    found, seen = measured(monkeypatch, split, 0.2)
    assert found == StepTime(pytest.approx(3.2), "measured")
    assert seen == [8] * 2 * 4


def test_two_steps_are_enough_where_the_second_ends_after_the_time(split, monkeypatch):
    found, seen = measured(monkeypatch, split, 0.6)
    assert found == StepTime(pytest.approx(9.6), "measured")
    assert len(seen) == 4


def test_a_step_that_takes_too_long_is_given_up_and_estimated_from_two_images(split, monkeypatch):
    found, seen = measured(monkeypatch, split, 2.0)
    assert found == StepTime(pytest.approx(32.0), "estimated")
    assert seen[:3] == [8, 2, 2], "the second layer is not called with the whole batch"


def test_a_step_of_two_images_that_takes_too_long_gives_a_lower_bound(split, monkeypatch):
    found, seen = measured(monkeypatch, split, 60.0)
    assert found == StepTime(40.0, "at least")
    assert seen == [8, 2]


def test_a_batch_is_filled_from_few_images_without_making_all_variants(split, monkeypatch):
    monkeypatch.setattr(sys.modules["genaug.fitting.fit"], "variants", None)
    _, seen = measured(monkeypatch, split, 0.001, batch=64)
    assert set(seen) == {64}


@pytest.mark.parametrize(
    ("basis", "words"),
    [
        ("measured", "50 ms a step: about 3.3 minutes"),
        ("estimated", "50 ms a step (estimated from a step of two images, since a whole one takes long): about"),
        ("at least", "50 ms a step or more (even a step of two images takes longer than is measured): at least"),
    ],
)
def test_the_sentence_says_what_the_estimate_rests_on(basis, words):
    cost = CostEstimate(fits=1, steps=4_000, step_seconds=0.05, workers=1, seconds=200.0)
    assert words in replace(cost, basis=basis).sentence()
