"""The generator, its loss, and how it draws images."""

from collections.abc import Iterator

import torch
from genaug.chance import Noise
from genaug.generator import Batch, Drawn, Generator
from torch import Tensor, nn

from genaug_gmmn.config import GMMNConfig
from genaug_gmmn.networks import Decoder

_SCALES = (0.1, 0.3, 1.0, 3.0)  # bandwidths, in root mean squared distances per pixel


def squared_mmd(real: Tensor, fake: Tensor, labels: Tensor) -> Tensor:
    """Squared maximum mean discrepancy between two sets of images [N, C, H, W] with the same labels [N]; a scalar.

    The kernel is a sum of Gaussians, and zero between images of different classes. The estimate is the biased one,
    which is 0 for equal sets.
    """
    images = torch.cat([real, fake]).flatten(1)
    classes = torch.cat([labels, labels])
    distances = torch.cdist(images, images).square() / images.shape[1]
    kernel = sum((-distances / (2 * scale**2)).exp() for scale in _SCALES) * (classes[:, None] == classes)
    signs = torch.cat([torch.ones(len(real)), -torch.ones(len(fake))]).to(images)
    return (kernel * signs[:, None] * signs).sum() / len(real) ** 2


class GMMN(Generator[GMMNConfig]):
    """Generative moment matching network over all classes (Li, Swersky and Zemel 2015, arXiv 1502.02761)."""

    averaged = frozenset({"decoder"})

    def build(self) -> dict[str, nn.Module]:
        """One network, "decoder"."""
        shape = (self.spec.channels, self.spec.height, self.spec.width)
        return {"decoder": Decoder(shape, self.config.latent, self.config.width, len(self.spec.classes))}

    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        """The root of the squared discrepancy, as in the publication: its gradient does not vanish near zero."""
        drawn = self.draw(batch.noise.normal(self.config.latent), batch.labels)
        with torch.autocast(drawn.device.type, enabled=False):  # small distances need full precision
            yield "decoder", (squared_mmd(batch.images, drawn.float(), batch.labels) + 1e-8).sqrt()

    def optimizer(self, name: str) -> torch.optim.Optimizer:
        """Adam with the learning rate of the settings."""
        return torch.optim.Adam(self.networks[name].parameters(), lr=self.config.learning_rate)

    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        """Images from standard normal codes, without parents."""
        return Drawn.without_parents(self.draw(noise.normal(self.config.latent), labels))

    def draw(self, codes: Tensor, labels: Tensor) -> Tensor:
        """Codes [N, latent] and labels int64 [N] to images [N, C, H, W] in [-1, 1]."""
        images: Tensor = self.networks["decoder"](codes, labels)
        return images
