"""The variational autoencoder of one class."""

from genaug.chance import Noise
from genaug.generator import Drawn
from torch import Tensor

from genaug_vae.autoencoder import Autoencoder
from genaug_vae.config import VAEConfig


class VAE(Autoencoder[VAEConfig]):
    """A variational autoencoder of one class."""

    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        """Images decoded from the prior, or from codes near those of one or two training images, their parents."""
        if self.config.sampling == "prior":
            return Drawn.without_parents(self.decode(noise.normal(self.config.latent), labels))
        chance = noise.uniform(2 if self.config.sampling == "interpolation" else 1)
        return self.sample_near_training_images(labels, labels, chance, noise)
