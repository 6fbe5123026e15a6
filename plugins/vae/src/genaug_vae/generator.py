"""The variational autoencoder of one class."""

from genaug.chance import Noise
from genaug.generator import Drawn
from genaug.layers.autoencoder import Autoencoder
from torch import Tensor

from genaug_vae.config import VAEConfig


class VAE(Autoencoder[VAEConfig]):
    """One variational autoencoder per class."""

    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        """Images from the prior, or from the codes of one or two real images, which are the parents."""
        if self.config.sampling == "prior":
            return Drawn.without_parents(self.decode(noise.normal(self.config.latent), labels))
        chance = noise.uniform(2 if self.config.sampling == "interpolation" else 1)
        return self.lean(labels, labels, chance, noise)
