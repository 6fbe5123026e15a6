"""The variational autoencoder of vae and cvae: networks, loss, and samples near the codes of training images."""

from collections.abc import Iterator
from typing import TypeVar

import torch
from genaug.chance import Noise
from genaug.errors import UsageError
from genaug.generator import Batch, Drawn, Generator
from genaug.layers.memory import choose_different
from genaug.training.muon import Muon
from torch import Tensor, nn
from torch.nn import functional as F

from genaug_vae.config import AutoencoderConfig
from genaug_vae.networks import CompactDecoder, CompactEncoder, PaperDecoder, PaperEncoder
from genaug_vae.objective import kl_divergence, reconstruction

Config = TypeVar("Config", bound=AutoencoderConfig)
_CHUNK = 256
_CONVOLUTIONS = nn.Conv2d | nn.ConvTranspose2d
_LEAST_SHARE = 0.25
_LOG_VARIANCE = (-8.0, 4.0)


class Autoencoder(Generator[Config]):
    """A variational autoencoder (Kingma and Welling 2014, arXiv 1312.6114); subclasses define how images are sampled.

    classes: number of classes that the networks are conditioned on, 0 for none.
    embedding: length of the embedding of a class; used only with classes.
    """

    averaged = frozenset({"autoencoder"})
    classes = 0
    embedding = 0

    def build(self) -> dict[str, nn.Module]:
        """One network, "autoencoder", with the parts "encoder" and "decoder"."""
        config, shape = self.config, (self.spec.channels, self.spec.height, self.spec.width)
        if config.network == "paper":
            encoder: nn.Module = PaperEncoder(shape[0] + self.classes, config.latent)
            decoder: nn.Module = PaperDecoder(config.latent + self.classes, shape[0])
        else:
            encoder = CompactEncoder(shape, config.latent, config.width, self.classes, self.embedding)
            decoder = CompactDecoder(shape, config.latent, config.width, self.classes, self.embedding)
        network = nn.ModuleDict({"encoder": encoder, "decoder": decoder})
        return {"autoencoder": network.to(memory_format=torch.channels_last)}

    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        """Reconstruction error plus weighted KL divergence, whose weight rises from zero during the warm-up.

        Raises UsageError for a batch of one image with the paper's network, which normalises over the batch.
        """
        config = self.config
        if config.network == "paper" and len(batch.images) == 1:
            raise UsageError(
                "the paper network normalises over the images of a batch and cannot learn from one at a time; "
                "use a batch_size of 2 or more and as many images, or network=compact"
            )
        mean, log_variance = self.encode(batch.images, batch.labels)
        codes = mean + (0.5 * log_variance).exp() * batch.noise.normal(config.latent)
        found = reconstruction(config.reconstruction, self.decode(codes, batch.labels), batch.images)
        divergence = kl_divergence(mean, log_variance, config.free_bits)
        warmed_up = min(1.0, batch.progress / config.warmup) if config.warmup else 1.0
        yield "autoencoder", (found + config.beta * warmed_up * divergence) / batch.images[0].numel()

    def optimizer(self, name: str) -> torch.optim.Optimizer:
        """Adam; or Muon for all convolutions that a normalisation follows, which are all but that to the image."""
        network, config = self.networks[name], self.config
        if config.optimizer == "adam":
            return torch.optim.Adam(network.parameters(), lr=config.learning_rate, fused=True)
        *_, to_image = (part for part in self._part("decoder").modules() if isinstance(part, _CONVOLUTIONS))
        rates = {"rate": config.filter_rate, "adamw_rate": config.learning_rate, "weight_decay": 0.0}
        return Muon.for_network(network, without=[to_image], **rates)

    def encode(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Images [N, C, H, W] in [-1, 1] and labels int64 [N] to mean and log-variance of their codes [N, latent]."""
        encoder = self._part("encoder")
        if self.config.network == "paper":
            planes = self._one_hot(labels)[:, :, None, None].expand(-1, -1, *images.shape[2:])
            mean, log_variance = encoder(torch.cat([(images + 1) / 2, planes], dim=1))
            return mean.float(), log_variance.float()
        mean, log_variance = encoder(images, labels)
        return mean.float(), log_variance.float().clamp(*_LOG_VARIANCE)

    def decode(self, codes: Tensor, labels: Tensor) -> Tensor:
        """Codes [N, latent] and labels int64 [N] to images [N, C, H, W] in [-1, 1]."""
        decoder = self._part("decoder")
        if self.config.network == "paper":
            images: Tensor = 2 * decoder(torch.cat([codes, self._one_hot(labels)], dim=1)) - 1
        else:
            images = decoder(codes, labels)
        return images.float()

    def remember(self, known: Batch) -> dict[str, Tensor]:
        """Mean and standard deviation ("spread") of the training images' codes [N, latent], labels and row ids [N]."""
        if self.config.sampling == "prior":
            return {}
        parts = [
            self.encode(images, labels)
            for images, labels in zip(known.images.split(_CHUNK), known.labels.split(_CHUNK), strict=True)
        ]
        mean = torch.cat([part for part, _ in parts])
        spread = (0.5 * torch.cat([part for _, part in parts])).exp()
        return {"mean": mean, "spread": spread, "labels": known.labels, "rows": known.rows}

    def sample_near_training_images(self, style_labels: Tensor, labels: Tensor, chance: Tensor, noise: Noise) -> Drawn:
        """Images of these labels, decoded from codes near those of one or two training images, their parents.

        style_labels: class from which the parents of each image are chosen, int64 [N].
        chance: uniform random numbers that choose them, float [N, k]: one parent for k = 1, two for k = 2.
        """
        places = choose_different(self.memory["labels"], style_labels, chance)
        codes = self._codes_between(places[:, 0], places[:, -1], noise)
        return Drawn(self.decode(codes, labels), self.memory["rows"][places])

    def _codes_between(self, first: Tensor, second: Tensor, noise: Noise) -> Tensor:
        """Random codes [N, latent] between those of two training images, given by their indices int64 [N].

        At least a quarter of the way from both: nearer to one of them, too many images are copies of it.
        """
        mean, spread = self.memory["mean"], self.memory["spread"]
        position = _LEAST_SHARE + (1 - 2 * _LEAST_SHARE) * noise.uniform(1)
        middle = torch.lerp(mean[first], mean[second], position)
        deviation = torch.lerp(spread[first], spread[second], position)
        return middle + self.config.spread * deviation * noise.normal(self.config.latent)

    def _part(self, name: str) -> nn.Module:
        network = self.networks["autoencoder"]
        part: nn.Module = network.get_submodule(name)
        return part

    def _one_hot(self, labels: Tensor) -> Tensor:
        """Labels as one-hot vectors [N, classes]; without classes, of length 0."""
        if not self.classes:
            return labels.new_zeros((len(labels), 0), dtype=torch.float32)
        return F.one_hot(labels, self.classes).float()
