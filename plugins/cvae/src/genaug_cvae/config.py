"""Settings of cvae."""

from genaug.config import option
from genaug_vae.config import AutoencoderConfig


class CVAEConfig(AutoencoderConfig):
    """Settings of cvae: those of vae, the embedding of classes, and how often styles come from other classes."""

    embedding: int = option(
        64, "Length of the embedding of a class in the compact networks.", unit="numbers", ge=1, le=1024
    )
    borrowed: float = option(
        0.2, "Share of images whose style is taken from training images of any class.", unit="share", ge=0.0, le=1.0
    )
    spread: float = option(
        3.0, "Noise added to codes of training images, in standard deviations of their posterior.", ge=0.0, le=10.0
    )

    def borrows(self) -> bool:
        """Whether images of a class are drawn from training images of others."""
        return self.sampling != "prior" and self.borrowed > 0
