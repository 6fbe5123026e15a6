"""The contract of a metric as tests."""

import math
from typing import ClassVar

import torch

from genaug.chance import stream
from genaug.config import MetricConfig
from genaug.metric import Measured, Metric
from genaug.registry import MetricDescription, import_factory, load_registry

_SHAPES = {"pixels": (3, 16, 16), "features": (8,), "probabilities": (3,), "classes": (3,)}
_COUNT = 40


class MetricContract:
    """All that a metric promises; subclass it and name the metric."""

    metric: ClassVar[str]

    def description(self) -> MetricDescription:
        """The metric as the registry knows it."""
        return load_registry().metrics.get(self.metric)

    def make(self) -> Metric[MetricConfig]:
        """The metric with its default settings."""
        description = self.description()
        made: Metric[MetricConfig] = import_factory(description)(description.config())
        return made

    def side(self, name: str) -> Measured:
        """Values of the kind that the metric needs."""
        kind = self.make().needs
        values = torch.rand((_COUNT, *_SHAPES[kind]), generator=stream(0, name))
        values = values / values.sum(dim=1, keepdim=True) if kind in ("probabilities", "classes") else values * 2 - 1
        return Measured(values, torch.arange(_COUNT) % 3)

    def test_values_are_finite_and_named(self) -> None:
        """Something to print."""
        found = self.make().compute(self.side("real"), self.side("synthetic"))
        assert found, f"{self.description().name} gave no values"
        assert all(math.isfinite(value) for value in found.values()), f"{self.description().name} gave {found}"

    def test_computing_is_pure(self) -> None:
        """The same twice, and the input as it was."""
        metric, real, synthetic = self.make(), self.side("real"), self.side("synthetic")
        first, second = metric.compute(real, synthetic), metric.compute(real, synthetic)
        assert first == second, f"{self.description().name} gave {first} and then {second}"
        assert torch.equal(real.values, self.side("real").values), f"{self.description().name} changed its input"
