"""The contract of a metric: numbers that compare real with synthetic images."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Generic, Literal, TypeVar

import torch

from genaug.config import MetricConfig


@dataclass(frozen=True)
class Measured:
    """One side of a comparison: values [N, ...] of the kind the metric needs, and labels int64 [N].

    Values are pixels float32 [N, C, H, W] in [-1, 1], features float32 [N, D], or probabilities float32 [N, K].
    """

    values: torch.Tensor
    labels: torch.Tensor


Config = TypeVar("Config", bound=MetricConfig)


class Metric(ABC, Generic[Config]):
    """Compares real with synthetic images; core computes what it needs, and owns classes, intervals and floors."""

    needs: ClassVar[Literal["pixels", "features", "probabilities"]]
    higher_is_better: ClassVar[bool]

    def __init__(self, config: Config) -> None:
        self.config = config

    @abstractmethod
    def compute(self, real: Measured, synthetic: Measured) -> dict[str, float]:
        """Named values of this comparison; pure: the same input gives the same output."""
