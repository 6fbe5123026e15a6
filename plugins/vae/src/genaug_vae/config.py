"""Settings of the generator."""

from genaug.layers.settings import AutoencoderConfig


class VAEConfig(AutoencoderConfig):
    """Settings of vae; the presets say which belong together."""
