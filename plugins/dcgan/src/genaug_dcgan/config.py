"""Settings of dcgan and cdcgan."""

from typing import Literal

from genaug.config import option
from genaug.layers.settings import TwoNetworksConfig


class DCGANConfig(TwoNetworksConfig):
    """Settings of dcgan and, with more of its own, of cdcgan; the presets hold combinations that work."""

    latent: int = option(64, "Length of the latent vector.", unit="numbers", ge=1, le=4096)
    width: int = option(32, "Channels of the compact networks at their largest maps.", unit="channels", ge=4, le=512)
    dropout: float = option(0.0, "Dropout in the discriminator.", unit="share", ge=0.0, lt=1.0)
    label_noise: float = option(
        0.0,
        "Targets of the discriminator differ at random from 0 and 1, by up to this much.",
        unit="share",
        ge=0.0,
        le=0.5,
    )
    gradient_penalty: float = option(
        0.2, "Weight of the R1 gradient penalty at real images; 0 for none.", ge=0.0, le=1000.0
    )
    mode_seeking: float = option(
        0.03, "Weight of the penalty for different codes that give similar images; 0 for none.", ge=0.0, le=100.0
    )
    differentiable: tuple[Literal["color", "translation", "cutout"], ...] = option(
        ("color", "translation", "cutout"), "Differentiable augmentation of real and fake images; never a flip."
    )
    learning_rate: float = option(5e-4, "Learning rate of both networks (Adam).", gt=0.0, le=1.0)
    beta1: float = option(0.5, "Decay of the first moment in Adam.", ge=0.0, lt=1.0)
    beta2: float = option(0.999, "Decay of the second moment in Adam.", ge=0.0, lt=1.0)


class CDCGANConfig(DCGANConfig):
    """Settings of cdcgan: those of dcgan, and the embedding of classes."""

    embedding: int = option(
        64, "Length of the embedding of a class in the compact networks.", unit="numbers", ge=1, le=1024
    )
