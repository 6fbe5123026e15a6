"""Settings of variational autoencoders."""

from typing import Any, Literal

from genaug.config import option
from genaug.layers.settings import TwoNetworksConfig

# the settings of the paper (docs/paper.md), for all autoencoders
PAPER: dict[str, Any] = {
    "network": "paper",
    "latent": 512,
    "reconstruction": "bce",
    "warmup": 0.0,
    "optimizer": "adam",
    "learning_rate": 1e-4,
    "sampling": "prior",
}


class AutoencoderConfig(TwoNetworksConfig):
    """Settings of vae and, with more of its own, of cvae; the presets hold combinations that work."""

    latent: int = option(64, "Length of the latent vector.", unit="numbers", ge=1, le=4096)
    width: int = option(32, "Channels of the compact networks at their largest maps.", unit="channels", ge=4, le=512)
    reconstruction: Literal["bce", "mse", "pyramid"] = option(
        "pyramid",
        "Reconstruction error: binary cross-entropy, squared error, or Laplacian pyramid, which blurs edges less.",
    )
    beta: float = option(1.0, "Weight of the KL divergence.", ge=0.0, le=1000.0)
    free_bits: float = option(
        0.0, "KL divergence of each latent number that is not penalised.", unit="nats", ge=0.0, le=10.0
    )
    warmup: float = option(
        0.2, "Share of the training during which the weight of the KL divergence rises from zero.", ge=0.0, le=1.0
    )
    optimizer: Literal["muon", "adam"] = option(
        "muon", "Muon for convolutions and AdamW for the rest, or Adam for all; with Muon fewer steps are enough."
    )
    learning_rate: float = option(4e-3, "Learning rate of Adam or AdamW.", gt=0.0, le=1.0)
    filter_rate: float = option(0.05, "Learning rate of Muon: size of a step, relative to the weights.", gt=0.0, le=1.0)
    sampling: Literal["prior", "posterior", "interpolation"] = option(
        "interpolation",
        "Where codes are drawn: from the prior, around the code of a training image, or between two of one class.",
    )
    spread: float = option(
        2.0, "Noise added to codes of training images, in standard deviations of their posterior.", ge=0.0, le=10.0
    )


class VAEConfig(AutoencoderConfig):
    """Settings of vae."""
