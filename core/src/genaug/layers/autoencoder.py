"""What variational autoencoders share: networks, loss, and codes that lean on real images."""

from collections.abc import Iterator
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genaug.chance import Noise
from genaug.errors import UsageError
from genaug.generator import Batch, Drawn, Generator
from genaug.layers.memory import choose_different
from genaug.layers.reconstruction import kl_divergence, reconstruction
from genaug.layers.settings import AutoencoderConfig
from genaug.layers.variational import CompactDecoder, CompactEncoder, PaperDecoder, PaperEncoder

Config = TypeVar("Config", bound=AutoencoderConfig)
_CHUNK = 256
_LEAST_SHARE = 0.25
_LOG_VARIANCE = (-8.0, 4.0)


class Autoencoder(Generator[Config]):
    """A variational autoencoder (Kingma and Welling 2014, arXiv 1312.6114); a subclass says how it samples.

    classes: how many the networks are told of, 0 for none. embedding: length of a class's embedding.
    """

    averaged = frozenset({"autoencoder"})
    classes = 0
    embedding = 0

    def build(self) -> dict[str, nn.Module]:
        """Encoder and decoder, trained as one network."""
        config, shape = self.config, (self.spec.channels, self.spec.height, self.spec.width)
        if config.network == "paper":
            encoder: nn.Module = PaperEncoder(shape[0] + self.classes, config.latent)
            decoder: nn.Module = PaperDecoder(config.latent + self.classes, shape[0])
        else:
            encoder = CompactEncoder(shape, config.latent, config.width, self.classes, self.embedding)
            decoder = CompactDecoder(shape, config.latent, config.width, self.classes, self.embedding)
        return {"autoencoder": nn.ModuleDict({"encoder": encoder, "decoder": decoder})}

    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        """Reconstruction and KL divergence, the latter from zero on over the warm-up.

        Raises UsageError for one image alone where a network normalises over the batch.
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
        risen = min(1.0, batch.progress / config.warmup) if config.warmup else 1.0
        yield "autoencoder", (found + config.beta * risen * divergence) / batch.images[0].numel()

    def optimizer(self, name: str) -> torch.optim.Optimizer:
        """Adam with the settings' learning rate."""
        return torch.optim.Adam(self.networks[name].parameters(), lr=self.config.learning_rate)

    def encode(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Images [N, C, H, W] in [-1, 1] and labels int64 [N] to mean and log-variance of their codes [N, latent]."""
        encoder = self._part("encoder")
        if self.config.network == "paper":
            planes = self._told(labels)[:, :, None, None].expand(-1, -1, *images.shape[2:])
            mean, log_variance = encoder(torch.cat([(images + 1) / 2, planes], dim=1))
            return mean.float(), log_variance.float()
        mean, log_variance = encoder(images, labels)
        return mean.float(), log_variance.float().clamp(*_LOG_VARIANCE)

    def decode(self, codes: Tensor, labels: Tensor) -> Tensor:
        """Codes [N, latent] and labels int64 [N] to images [N, C, H, W] in [-1, 1]."""
        decoder = self._part("decoder")
        if self.config.network == "paper":
            images: Tensor = 2 * decoder(torch.cat([codes, self._told(labels)], dim=1)) - 1
        else:
            images = decoder(codes, labels)
        return images.float()

    def remember(self, known: Batch) -> dict[str, Tensor]:
        """Codes of the training images: mean and spread [N, latent], labels and row ids [N]."""
        if self.config.sampling == "prior":
            return {}
        parts = [
            self.encode(images, labels)
            for images, labels in zip(known.images.split(_CHUNK), known.labels.split(_CHUNK), strict=True)
        ]
        mean = torch.cat([part for part, _ in parts])
        spread = (0.5 * torch.cat([part for _, part in parts])).exp()
        return {"mean": mean, "spread": spread, "labels": known.labels, "rows": known.rows}

    def lean(self, sources: Tensor, labels: Tensor, chance: Tensor, noise: Noise) -> Drawn:
        """Images of these labels in styles of these classes [N], from real images chosen by chance [N, k]: the parents.

        One of them (k = 1) or between two.
        """
        places = choose_different(self.memory["labels"], sources, chance)
        codes = self._codes_between(places[:, 0], places[:, -1], noise)
        return Drawn(self.decode(codes, labels), self.memory["rows"][places])

    def _codes_between(self, first: Tensor, second: Tensor, noise: Noise) -> Tensor:
        """Codes [N, latent] between those of two training images, given by their places int64 [N], with noise.

        A quarter of the way from either at least: nearer to one, too many are copies of it.
        """
        mean, spread = self.memory["mean"], self.memory["spread"]
        share = _LEAST_SHARE + (1 - 2 * _LEAST_SHARE) * noise.uniform(1)
        middle = torch.lerp(mean[first], mean[second], share)
        deviation = torch.lerp(spread[first], spread[second], share)
        return middle + self.config.spread * deviation * noise.normal(self.config.latent)

    def _part(self, name: str) -> nn.Module:
        network = self.networks["autoencoder"]
        part: nn.Module = network.get_submodule(name)
        return part

    def _told(self, labels: Tensor) -> Tensor:
        """Labels as one-hot vectors [N, classes]; of length 0 where the networks are told nothing."""
        if not self.classes:
            return labels.new_zeros((len(labels), 0), dtype=torch.float32)
        return F.one_hot(labels, self.classes).float()
