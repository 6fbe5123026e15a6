"""One variational autoencoder over all classes, which can carry the style of any image into any class."""

import torch
from genaug.chance import Noise
from genaug.generator import Drawn
from genaug.layers.autoencoder import Autoencoder
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
        chance = noise.uniform(3 if self.config.sampling == "interpolation" else 2)
        return self.lean(self._sources(labels, chance[:, 0]), labels, chance[:, 1:], noise)

    def _sources(self, labels: Tensor, chance: Tensor) -> Tensor:
        """The class whose styles each image gets: its own, or for `borrowed` of the images one chosen by its size."""
        every, share = self.memory["labels"], self.config.borrowed
        absent = ~torch.isin(labels, every)
        place = torch.where(absent | (chance >= share), chance, chance / max(share, 1e-9))
        return torch.where(absent | (chance < share), every[(place * len(every)).long()], labels)
