"""DCGAN, for one class and class-conditional, as generators of genaug."""

from collections.abc import Iterator
from typing import TypeVar

import torch
from genaug.augmentation.differentiable import differentiable
from genaug.chance import Noise
from genaug.generator import Batch, Drawn, Generator
from torch import Tensor, nn
from torch.nn import functional as F

from genaug_dcgan.config import CDCGANConfig, DCGANConfig
from genaug_dcgan.networks import CompactDiscriminator, CompactGenerator, PaperDiscriminator, PaperGenerator

Config = TypeVar("Config", bound=DCGANConfig)
_PENALTY_EVERY = 4  # steps, and factor on the penalty at those (Karras et al. 2020, arXiv 1912.04958)
_LEAST_APART = 0.01


class Adversarial(Generator[Config]):
    """Base of both: a generator and a discriminator with their losses; images are drawn from the averaged generator.

    classes: number of classes that the networks are conditioned on, 0 for none.
    embedding: length of the embedding of a class; used only with classes.
    """

    averaged = frozenset({"generator"})
    classes = 0
    embedding = 0

    def build(self) -> dict[str, nn.Module]:
        """The networks "generator" and "discriminator", in the architecture that the settings name."""
        config, shape = self.config, (self.spec.channels, self.spec.height, self.spec.width)
        if config.network == "paper":
            generator: nn.Module = PaperGenerator(config.latent + self.classes, shape[0])
            discriminator: nn.Module = PaperDiscriminator(shape[0] + self.classes, config.dropout)
        else:
            generator = CompactGenerator(shape, config.latent, config.width, self.classes, self.embedding)
            discriminator = CompactDiscriminator(shape, config.width, self.classes, config.dropout)
        networks = {"generator": generator, "discriminator": discriminator}
        return {name: network.to(memory_format=torch.channels_last) for name, network in networks.items()}

    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        """The loss of the discriminator on real and fake images, then that of the generator."""
        codes, labels = batch.noise.normal(self.config.latent), batch.labels
        fake = self.draw(codes, labels)
        penalty_weight = self.config.gradient_penalty if batch.step % _PENALTY_EVERY == 0 else 0.0
        real = self._augmented(batch.images, batch.noise).requires_grad_(bool(penalty_weight))
        real_scores = self.judge(real, labels)
        fake_scores = self.judge(self._augmented(fake.detach(), batch.noise), labels)
        penalty = _PENALTY_EVERY * penalty_weight * _gradient_penalty(real_scores, real) if penalty_weight else 0.0
        yield "discriminator", self._discrimination(real_scores, fake_scores, batch.noise) + penalty
        scores = self.judge(self._augmented(fake, batch.noise), labels)
        adversarial = self._cross_entropy(scores, torch.ones_like(scores))
        similarity = self._similarity(codes, fake, batch) if self.config.mode_seeking else 0.0
        yield "generator", adversarial + self.config.mode_seeking * similarity

    def optimizer(self, name: str) -> torch.optim.Optimizer:
        """Adam with the learning rate and betas of the settings."""
        betas = (self.config.beta1, self.config.beta2)
        return torch.optim.Adam(self.networks[name].parameters(), lr=self.config.learning_rate, betas=betas, fused=True)

    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        """Images from standard normal codes, without parents."""
        return Drawn.without_parents(self.draw(noise.normal(self.config.latent), labels))

    def draw(self, codes: Tensor, labels: Tensor) -> Tensor:
        """Codes [N, latent] and labels int64 [N] to images [N, C, H, W] in [-1, 1]."""
        network = self.networks["generator"]
        if self.config.network == "paper":
            codes = torch.cat([codes, self._one_hot(labels)], dim=1)[:, :, None, None]
            images: Tensor = network(codes)
        else:
            images = network(codes, labels)
        return images.float()

    def judge(self, images: Tensor, labels: Tensor) -> Tensor:
        """Images [N, C, H, W] and labels int64 [N] to scores [N]: probabilities in the paper's network, else logits."""
        network = self.networks["discriminator"]
        if self.config.network == "paper":
            planes = self._one_hot(labels)[:, :, None, None].expand(-1, -1, *images.shape[2:])
            scores: Tensor = network(torch.cat([images, planes], dim=1)).flatten()
        else:
            scores = network(images, labels)
        return scores.float()

    def _one_hot(self, labels: Tensor) -> Tensor:
        """Labels as one-hot vectors [N, classes]; without classes, of length 0."""
        if not self.classes:
            return labels.new_zeros((len(labels), 0), dtype=torch.float32)
        return F.one_hot(labels, self.classes).float()

    def _augmented(self, images: Tensor, noise: Noise) -> Tensor:
        return differentiable(images, self.config.differentiable, noise)

    def _discrimination(self, real: Tensor, fake: Tensor, noise: Noise) -> Tensor:
        """Cross-entropy of real and fake scores, with label noise: the loss of the discriminator."""
        offsets = self.config.label_noise * noise.uniform(2)
        return self._cross_entropy(real, 1 - offsets[:, 0]) + self._cross_entropy(fake, offsets[:, 1])

    def _similarity(self, codes: Tensor, images: Tensor, batch: Batch) -> Tensor:
        """Distance of codes divided by that of their images, on half the batch (Mao et al. 2019, arXiv 1903.05628).

        The difference of mean colours does not count: the discriminator does not see brightness through the
        augmentation, so images would differ by becoming black.
        """
        half = (len(codes) + 1) // 2
        others = batch.noise.normal(self.config.latent)[:half]
        difference = images[:half] - self.draw(others, batch.labels[:half])
        apart = (difference - difference.mean(dim=(2, 3), keepdim=True)).abs().mean(dim=(1, 2, 3))
        return (1.0 / (apart / (codes[:half] - others).abs().mean(dim=1) + _LEAST_APART)).mean()

    def _cross_entropy(self, scores: Tensor, targets: Tensor) -> Tensor:
        if self.config.network != "paper":
            return F.binary_cross_entropy_with_logits(scores, targets)
        with torch.autocast(scores.device.type, enabled=False):  # torch: unsafe to autocast
            return F.binary_cross_entropy(scores, targets)


def _gradient_penalty(scores: Tensor, images: Tensor) -> Tensor:
    """R1: half the mean squared gradient of the scores at real images (Mescheder et al. 2018, arXiv 1801.04406)."""
    (gradient,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    return 0.5 * gradient.square().sum(dim=(1, 2, 3)).mean()


class DCGAN(Adversarial[DCGANConfig]):
    """Deep convolutional GAN (Radford et al. 2016, arXiv 1511.06434): one model per class."""


class CDCGAN(Adversarial[CDCGANConfig]):
    """One DCGAN over all classes.

    The compact networks have conditional batch norm in the generator and a projection discriminator (Miyato and Koyama
    2018): the class modulates every layer and is compared with features, while labels as image channels are easily
    ignored. The paper's networks get one-hot labels with codes and images (Mirza and Osindero 2014).
    """

    @property
    def classes(self) -> int:  # type: ignore[override] # a constant 0 in the base class
        """Number of classes that the networks are conditioned on."""
        return len(self.spec.classes)

    @property
    def embedding(self) -> int:  # type: ignore[override] # as above
        """Length of the embedding of a class."""
        return self.config.embedding
