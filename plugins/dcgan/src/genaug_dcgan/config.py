"""Settings of both generators."""

from typing import Literal

from genaug.config import option
from genaug.layers.settings import TwoNetworksConfig


class DCGANConfig(TwoNetworksConfig):
    """Settings of dcgan and cdcgan; the presets say which belong together."""

    latent: int = option(64, "Length of the latent vector.", unit="numbers", ge=1, le=4096)
    width: int = option(32, "Channels of the compact networks at their largest maps.", unit="channels", ge=4, le=512)
    dropout: float = option(0.0, "Dropout in the discriminator.", unit="share", ge=0.0, lt=1.0)
    label_noise: float = option(
        0.0, "Targets of the discriminator are up to this far from 0 and 1, at random.", unit="share", ge=0.0, le=0.5
    )
    gradient_penalty: float = option(
        0.2, "Weight of R1: how steep the discriminator may be at real images; 0 for none.", ge=0.0, le=1000.0
    )
    mode_seeking: float = option(
        0.03, "Weight of the penalty for different codes that give alike images; 0 for none.", ge=0.0, le=100.0
    )
    differentiable: tuple[Literal["color", "translation", "cutout"], ...] = option(
        ("color", "translation", "cutout"), "Differentiable augmentation of real and fake images alike; never a flip."
    )
    learning_rate: float = option(5e-4, "Learning rate of both networks (Adam).", gt=0.0, le=1.0)
    beta1: float = option(0.5, "First moment's decay of Adam.", ge=0.0, lt=1.0)
    beta2: float = option(0.999, "Second moment's decay of Adam.", ge=0.0, lt=1.0)


class CDCGANConfig(DCGANConfig):
    """Settings of cdcgan: those of dcgan, and how a class is told to the networks."""

    embedding: int = option(64, "Length of a class's embedding in the compact networks.", unit="numbers", ge=1, le=1024)
