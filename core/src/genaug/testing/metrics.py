"""The contract of a metric as tests."""

import math
from typing import ClassVar

import torch

from genaug.chance import stream
from genaug.config import MetricConfig
from genaug.hookspecs import MetricDescription
from genaug.metric import Measured, Metric
from genaug.registry import import_factory, load_registry

_SHAPES = {"pixels": (3, 16, 16), "features": (8,), "probabilities": (3,), "classes": (3,)}
_COUNT = 40


class MetricContract:
    """Tests of all that a metric promises. Subclass it, set `metric`, and run pytest.

    metric: name in its description, which must be installed.
    """

    metric: ClassVar[str]

    def description(self) -> MetricDescription:
        """The description of the metric. Override it to test one that is not installed."""
        return load_registry().metrics.get(self.metric)

    def make(self) -> Metric[MetricConfig]:
        """The metric with its default settings."""
        description = self.description()
        metric: Metric[MetricConfig] = import_factory(description)(description.config())
        return metric

    def images(self, name: str) -> Measured:
        """Forty random images of three classes as the values that the metric needs; `name` decides which."""
        kind = self.make().needs
        values = torch.rand((_COUNT, *_SHAPES[kind]), generator=stream(0, name))
        values = values / values.sum(dim=1, keepdim=True) if kind in ("probabilities", "classes") else values * 2 - 1
        return Measured(values, torch.arange(_COUNT) % 3)

    def test_values_are_finite_and_named(self) -> None:
        """The metric returns at least one value, and no infinite one."""
        found = self.make().compute(self.images("real"), self.images("synthetic"))
        assert found, f"{self.description().name} returned no values"
        assert all(math.isfinite(value) for value in found.values()), f"{self.description().name} returned {found}"

    def test_computing_is_pure(self) -> None:
        """The same images give the same values, and are not changed."""
        metric, real, synthetic = self.make(), self.images("real"), self.images("synthetic")
        first, second = metric.compute(real, synthetic), metric.compute(real, synthetic)
        assert first == second, f"{self.description().name} returned {first} and then {second} for the same images"
        assert torch.equal(real.values, self.images("real").values), f"{self.description().name} changed its input"
