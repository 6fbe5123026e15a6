"""The contract of a metric as tests."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from genaug.chance import chance_states, moved_chance, same_states
from genaug.config import MetricConfig, parse
from genaug.hookspecs import MetricDescription
from genaug.metric import KernelMetric, Measured, Metric, ShareMetric
from genaug.registry import import_factory, load_registry
from genaug.testing.measured import Harm, Material

_TOLERANCE = 1e-4  # of a value: sums of floats depend on the order of their terms


class MetricContract:
    """Tests of all that a metric promises. Subclass it, set `metric`, and run pytest.

        class TestMine(MetricContract):
            metric = "mine"

    metric: name in its description, which must be installed.
    settings: changes to its default settings.
    harm: what the metric is meant to find, so that images with it get a worse value than good ones: "noise" (noise in
        place of images), "copies" (copies of the real images) or "repeats" (one image of each class again and again).
    """

    metric: ClassVar[str]
    settings: ClassVar[Mapping[str, Any]] = {}
    harm: ClassVar[Harm] = "noise"

    def description(self) -> MetricDescription:
        """The description of the metric. Override it to test one that is not installed."""
        return load_registry().metrics.get(self.metric)

    def make(self) -> Metric[MetricConfig]:
        """The metric with the settings of the test."""
        description = self.description()
        config = parse(description.config, self.settings, f"the settings of {description.name}")
        metric: Metric[MetricConfig] = import_factory(description)(config)
        return metric

    def material(self) -> Material:
        """The images of the tests, as the values that the metric needs."""
        return Material(self.make().needs)

    def values(self, synthetic: Measured) -> dict[str, float]:
        """What a new metric computes from the real images and these synthetic ones."""
        return self.make().compute(self.material().real, synthetic)

    def test_values_are_finite_and_named(self) -> None:
        """The metric returns at least one value, and no infinite one."""
        found = self.values(self.material().good)
        assert found, f"{self.description().name} returned no values"
        assert all(isinstance(name, str) for name in found), f"names of values must be text, got {list(found)}"
        assert all(math.isfinite(value) for value in found.values()), f"{self.description().name} returned {found}"

    def test_each_counted_image_gets_one_verdict(self) -> None:
        """A ShareMetric returns one bool for each image that it counts, a KernelMetric one number for each pair."""
        metric, real, good = self.make(), self.material().real, self.material().good
        n, m = len(real), len(good)
        if isinstance(metric, ShareMetric):
            counted = n if metric.reference == "held-out" else m
            for name, verdicts in metric.each(real, good).items():
                assert verdicts.dtype == torch.bool, f"the verdicts of {name!r} must be bool, got {verdicts.dtype}"
                shape = list(verdicts.shape)
                assert shape == [counted], f"the verdicts of {name!r} must have the shape [{counted}], got {shape}"
        if isinstance(metric, KernelMetric):
            for name, kernels in metric.kernels(real, good).items():
                shapes = [list(part.shape) for part in (kernels.real, kernels.across, kernels.synthetic)]
                expected = [[n, n], [n, m], [m, m]]
                assert shapes == expected, f"the kernels of {name!r} must have the shapes {expected}, got {shapes}"

    def test_computing_is_pure(self) -> None:
        """The same images give the same values, whatever was computed before and whatever global chance is."""
        metric, real, good = self.make(), self.material().real, self.material().good
        found = []
        for start in (1, 2):
            with moved_chance(start):
                before = chance_states()
                found.append(metric.compute(real, good))
                still = same_states(before, chance_states())
            assert still, "computing changed a global random generator of torch, numpy or random"
        first, second = found
        assert first == second, f"{self.description().name} returned {first} and then {second} for the same images"

    def test_the_input_stays_as_it_is(self) -> None:
        """Other metrics receive the same tensors."""
        real, good = self.material().real, self.material().good
        self.make().compute(real, good)
        for name, after, before in (
            ("real", real, self.material().real),
            ("synthetic", good, self.material().good),
        ):
            same = torch.equal(after.values, before.values) and torch.equal(after.labels, before.labels)
            assert same, f"{self.description().name} changed the {name} images or their labels; work on a copy"

    def test_the_order_of_images_decides_nothing(self) -> None:
        """The same images in another order give the same values."""
        real, good = self.material().real, self.material().good
        first = self.make().compute(real, good)
        second = self.make().compute(real.rows(_reversed(real)), good.rows(_reversed(good)))
        assert first.keys() == second.keys(), f"in another order the values are {sorted(second)}, not {sorted(first)}"
        for name, value in first.items():
            close = math.isclose(value, second[name], rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
            assert close, f"{name!r} is {value:.6g}, and {second[name]:.6g} for the same images in reversed order"

    def test_a_verdict_on_a_synthetic_image_depends_on_no_other_one(self) -> None:
        """Half of the synthetic images get the verdicts that they get beside the other half."""
        metric, real, good = self.make(), self.material().real, self.material().good
        if not isinstance(metric, ShareMetric) or metric.reference == "held-out":
            return
        half = torch.arange(0, len(good), 2)
        together, alone = metric.each(real, good), metric.each(real, good.rows(half))
        for name, verdicts in together.items():
            assert torch.equal(verdicts[half], alone[name]), (
                f"verdicts of {name!r} change with the other synthetic images; its interval would be wrong: "
                "subclass Metric, which promises none"
            )

    def test_worse_images_get_a_worse_value(self) -> None:
        """In the direction of `higher_is_better`, no value is better than that of good images, and one is worse."""
        better = self.make().higher_is_better
        good, worse = self.values(self.material().good), self.values(self.material().worse(self.harm))
        changes = {name: (worse[name] - value) * (1 if better else -1) for name, value in good.items()}
        sound = max(changes.values()) <= 0 and min(changes.values()) < 0
        assert sound, (
            f"higher_is_better is {better}, but good images got {good} and {self.harm} got {worse}; "
            "turn higher_is_better, or set harm to what the metric finds"
        )


def _reversed(images: Measured) -> Tensor:
    return torch.arange(len(images)).flip(0)
