"""The variational autoencoder of one class."""

import torch
from genaug.chance import Noise
from genaug.generator import Drawn
from genaug.layers.autoencoder import Autoencoder
from genaug.layers.memory import choose
from torch import Tensor

from genaug_vae.config import VAEConfig


class VAE(Autoencoder[VAEConfig]):
    """One variational autoencoder per class."""

    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        """Images from the prior, or from the codes of one or two real images, which are the parents."""
        if self.config.sampling == "prior":
            return Drawn.without_parents(self.decode(noise.normal(self.config.latent), labels))
        count = 2 if self.config.sampling == "interpolation" else 1
        places = [choose(self.memory["labels"], labels, chance) for chance in noise.uniform(count).unbind(1)]
        codes = self.codes_between(places[0], places[-1], noise)
        return Drawn(self.decode(codes, labels), torch.stack([self.memory["rows"][place] for place in places], dim=1))
