"""Settings that several plugins share, free of torch."""

from typing import Literal

from genaug.config import GeneratorConfig, option
from genaug.errors import UsageError
from genaug.spec import ImageSpec

PAPER_SIDE = 64
_LEAST_STEPS = 300


class TwoNetworksConfig(GeneratorConfig):
    """Settings of a generator that has the report's network and a smaller one of any size."""

    network: Literal["compact", "paper"] = option("compact", "Architecture; the paper's works at 64x64 only.")

    def check(self, spec: ImageSpec) -> None:
        """Raise UsageError for the report's network at any size but 64x64."""
        if self.network == "paper" and (spec.height, spec.width) != (PAPER_SIDE, PAPER_SIDE):
            raise UsageError(
                f"the paper's network works at {PAPER_SIDE}x{PAPER_SIDE} pixels, got {spec.height}x{spec.width}; "
                f"add --size {PAPER_SIDE}"
            )


class AutoencoderConfig(TwoNetworksConfig):
    """Settings of variational autoencoders; the presets say which belong together."""

    latent: int = option(64, "Length of the latent vector.", unit="numbers", ge=1, le=4096)
    width: int = option(32, "Channels of the compact networks at their largest maps.", unit="channels", ge=4, le=512)
    reconstruction: Literal["bce", "mse", "pyramid"] = option(
        "pyramid", "What a reconstruction is judged by; the Laplacian pyramid keeps edges that the others blur."
    )
    beta: float = option(1.0, "Weight of the KL divergence.", ge=0.0, le=1000.0)
    free_bits: float = option(
        0.0, "KL divergence that each latent number has for nothing.", unit="nats", ge=0.0, le=10.0
    )
    warmup: float = option(
        0.2, "Share of the training over which the weight of the KL divergence rises from zero.", ge=0.0, le=1.0
    )
    learning_rate: float = option(1e-3, "Learning rate (Adam).", gt=0.0, le=1.0)
    sampling: Literal["prior", "posterior", "interpolation"] = option(
        "interpolation",
        "Where codes come from: the prior, around the code of a real image, or between two of one class.",
    )
    spread: float = option(2.0, "Noise around real codes, in standard deviations of their posterior.", ge=0.0, le=10.0)


def bounded_steps(spec: ImageSpec, device: str, on_cpu: int) -> int:
    """Steps of a training: `on_cpu` on a CPU, fewer there beyond 64x64 pixels, and five times as many elsewhere.

    Never fewer than 300, below which nothing is learnt at any size.
    """
    if device != "cpu":
        return 5 * on_cpu
    bounded = round(on_cpu * min(1.0, PAPER_SIDE**2 / (spec.height * spec.width)))
    return max(bounded, min(on_cpu, _LEAST_STEPS))
