"""One variational autoencoder over all classes, which can carry the style of any image into any class."""

import torch
from genaug.chance import Noise
from genaug.generator import Drawn
from genaug.layers.autoencoder import Autoencoder
from genaug.layers.memory import choose
from torch import Tensor

from genaug_cvae.config import CVAEConfig


class CVAE(Autoencoder[CVAEConfig]):
    """A class-conditional variational autoencoder (Sohn et al. 2015; Kingma et al. 2014, arXiv 1406.5298).

    Encoder and decoder are both told the class, so that a code need not hold it: what is left is style (background,
    light, pose), which `sample` decodes as whatever class is wanted.
    """

    @property
    def classes(self) -> int:  # type: ignore[override] # a constant 0 in the class without conditions
        """How many classes the networks are told of."""
        return len(self.spec.classes)

    @property
    def embedding(self) -> int:  # type: ignore[override] # as above
        """Length of a class's embedding."""
        return self.config.embedding

    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        """Images of the wanted classes in styles from the prior, or in those of one or two real images, the parents."""
        if self.config.sampling == "prior":
            return Drawn.without_parents(self.decode(noise.normal(self.config.latent), labels))
        count = 2 if self.config.sampling == "interpolation" else 1
        chance = noise.uniform(1 + count)
        sources = self._sources(labels, chance[:, 0])
        places = [choose(self.memory["labels"], sources, one) for one in chance[:, 1:].unbind(1)]
        codes = self.codes_between(places[0], places[-1], noise)
        return Drawn(self.decode(codes, labels), torch.stack([self.memory["rows"][place] for place in places], dim=1))

    def _sources(self, labels: Tensor, chance: Tensor) -> Tensor:
        """The class whose styles each image gets: its own, or for `borrowed` of the images one chosen by its size."""
        every, share = self.memory["labels"], self.config.borrowed
        absent = ~torch.isin(labels, every)
        place = torch.where(absent | (chance >= share), chance, chance / max(share, 1e-9))
        return torch.where(absent | (chance < share), every[(place * len(every)).long()], labels)
