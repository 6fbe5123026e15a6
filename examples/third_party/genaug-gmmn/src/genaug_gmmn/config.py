"""Settings of gmmn."""

from genaug.config import GeneratorConfig, option


class GMMNConfig(GeneratorConfig):
    """Settings of the generative moment matching network."""

    latent: int = option(16, "Length of the latent vector.", unit="numbers", ge=1, le=1024)
    width: int = option(16, "Channels at the largest maps.", unit="channels", ge=2, le=256)
    learning_rate: float = option(1e-3, "Learning rate (Adam).", gt=0.0, le=1.0)
