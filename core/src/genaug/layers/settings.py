"""Settings for plugins of different families; does not import torch."""

from typing import Literal

from genaug.config import GeneratorConfig, option
from genaug.errors import UsageError
from genaug.spec import ImageSpec

__all__ = ["TwoNetworksConfig", "bounded_steps"]

_PAPER_SIZE = 64
_LEAST_STEPS = 300


class TwoNetworksConfig(GeneratorConfig):
    """Settings of a generator with two architectures: the paper's for 64x64 pixels, and a compact one for any size."""

    network: Literal["compact", "paper"] = option("compact", "Architecture; the paper's works at 64x64 only.")

    def check(self, spec: ImageSpec) -> None:
        """Raise UsageError for the paper's architecture at another size than 64x64."""
        if self.network == "paper" and (spec.height, spec.width) != (_PAPER_SIZE, _PAPER_SIZE):
            raise UsageError(
                f"the paper's network works at {_PAPER_SIZE}x{_PAPER_SIZE} pixels, got {spec.height}x{spec.width}; "
                f"add --size {_PAPER_SIZE}"
            )


def bounded_steps(spec: ImageSpec, device: str, on_cpu: int) -> int:
    """Number of training steps for an `auto` preset, fewer for large images on a CPU.

    On a CPU `on_cpu` steps; for more than 64x64 pixels fewer in proportion, but at least 300, below which nothing is
    learnt at any size. On other devices five times `on_cpu`.
    """
    if device != "cpu":
        return 5 * on_cpu
    bounded = round(on_cpu * min(1.0, _PAPER_SIZE**2 / (spec.height * spec.width)))
    return max(bounded, min(on_cpu, _LEAST_STEPS))
