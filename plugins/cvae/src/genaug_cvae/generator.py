"""One variational autoencoder over all classes, which can draw a class in the style of images of other classes."""

import torch
from genaug.chance import Noise
from genaug.generator import Drawn
from genaug_vae.autoencoder import Autoencoder
from torch import Tensor

from genaug_cvae.config import CVAEConfig


class CVAE(Autoencoder[CVAEConfig]):
    """A class-conditional variational autoencoder (Sohn et al. 2015; Kingma et al. 2014, arXiv 1406.5298).

    Encoder and decoder are both conditioned on the class, so that the code holds only what is left, the style:
    background, light, pose. `sample` decodes a style as the requested class.
    """

    @property
    def classes(self) -> int:  # type: ignore[override] # a constant 0 in the base class
        """Number of classes that the networks are conditioned on."""
        return len(self.spec.classes)

    @property
    def embedding(self) -> int:  # type: ignore[override] # as above
        """Length of the embedding of a class."""
        return self.config.embedding

    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        """Images of these classes, in styles from the prior or from one or two training images, their parents."""
        if self.config.sampling == "prior":
            return Drawn.without_parents(self.decode(noise.normal(self.config.latent), labels))
        chance = noise.uniform(3 if self.config.sampling == "interpolation" else 2)
        style_labels = self._style_labels(labels, chance[:, 0])
        return self.sample_near_training_images(style_labels, labels, chance[:, 1:], noise)

    def _style_labels(self, labels: Tensor, chance: Tensor) -> Tensor:
        """The class that each image takes its style from, int64 [N]: its own, or that of a random training image.

        The latter for a share `borrowed` of the images, and for all images of a class without training images.
        """
        every, share = self.memory["labels"], self.config.borrowed
        absent = ~torch.isin(labels, every)
        place = torch.where(absent | (chance >= share), chance, chance / max(share, 1e-9))
        return torch.where(absent | (chance < share), every[(place * len(every)).long()], labels)
