"""Settings of the generator."""

from genaug.config import option
from genaug.layers.settings import AutoencoderConfig


class CVAEConfig(AutoencoderConfig):
    """Settings of cvae: those of vae, how a class is told to the networks, and where styles may come from."""

    embedding: int = option(64, "Length of a class's embedding in the compact networks.", unit="numbers", ge=1, le=1024)
    borrowed: float = option(
        0.2, "Share of images whose style code comes from images of any class.", unit="share", ge=0.0, le=1.0
    )
    spread: float = option(3.0, "Noise around real codes, in standard deviations of their posterior.", ge=0.0, le=10.0)

    def borrows(self) -> bool:
        """Where codes come from real images, and some from any class."""
        return self.sampling != "prior" and self.borrowed > 0
