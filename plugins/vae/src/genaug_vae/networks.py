"""Networks of variational autoencoders: those of the paper for 64x64 pixels, and compact ones for any size."""

from itertools import pairwise

import torch
from genaug.layers.blocks import ConditionalBatchNorm2d, doublings
from torch import Tensor, nn

_PAPER_WIDTHS = (32, 64, 128, 256, 512, 1024)
_PAPER_FLAT = 4096
_PAPER_HIDDEN = 1024
_SLOPE = 0.02
_WIDEST = 8


class PaperEncoder(nn.Module):
    """Six convolutions of 32 to 1024 channels, flatten to 4096, a hidden layer of 1024 with SELU (docs/paper.md).

    Images [N, C, 64, 64] in [0, 1], with one-hot labels as additional channels, to mean and log-variance [N, latent]
    each. The first convolution has stride 1 and the others 2, which gives the 4096 numbers of the paper.
    """

    def __init__(self, channels: int, latent: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for place, (before, width) in enumerate(pairwise((channels, *_PAPER_WIDTHS))):
            layers += [nn.Conv2d(before, width, 3, stride=1 if place == 0 else 2, padding=1)]
            layers += [nn.LeakyReLU(_SLOPE), nn.BatchNorm2d(width)]
        hidden = [nn.Linear(_PAPER_FLAT, _PAPER_HIDDEN), nn.SELU(), nn.BatchNorm1d(_PAPER_HIDDEN)]
        self.body = nn.Sequential(*layers, nn.Flatten(), *hidden)
        self.mean = nn.Linear(_PAPER_HIDDEN, latent)
        self.log_variance = nn.Linear(_PAPER_HIDDEN, latent)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the codes."""
        hidden = self.body(images)
        return self.mean(hidden), self.log_variance(hidden)


class PaperDecoder(nn.Sequential):
    """A linear layer to 4096 with SELU, five transposed convolutions of 512 to 32 channels, one to the image, sigmoid.

    Codes [N, latent] to images [N, C, 64, 64] in [0, 1]. The last transposed convolution has stride 1.
    """

    def __init__(self, latent: int, channels: int) -> None:
        side = 2
        layers: list[nn.Module] = [
            nn.Linear(latent, _PAPER_FLAT),
            nn.SELU(),
            nn.Unflatten(1, (_PAPER_FLAT // side**2, side, side)),
        ]
        for before, width in pairwise(_PAPER_WIDTHS[::-1]):
            layers += [nn.ConvTranspose2d(before, width, 3, stride=2, padding=1, output_padding=1)]
            layers += [nn.LeakyReLU(_SLOPE), nn.BatchNorm2d(width)]
        super().__init__(*layers, nn.ConvTranspose2d(_PAPER_WIDTHS[0], channels, 3, padding=1), nn.Sigmoid())


class CompactEncoder(nn.Module):
    """Strided convolutions with (conditional) batch norm, then one linear layer.

    Images [N, C, H, W] in [-1, 1] and labels int64 [N] to mean and log-variance [N, latent] each.
    """

    def __init__(self, shape: tuple[int, int, int], latent: int, width: int, classes: int, embedding: int) -> None:
        super().__init__()
        channels, height, image_width = shape
        count = doublings(height, image_width)
        widths = [min(width * 2**stage, width * _WIDEST) for stage in range(count)]
        condition = embedding if classes else 0
        self.embedding = nn.Embedding(classes, embedding) if classes else None
        self.shrink = nn.ModuleList(
            nn.Conv2d(before, after, 4, 2, 1) for before, after in pairwise((channels, *widths))
        )
        self.norms = nn.ModuleList(ConditionalBatchNorm2d(after, condition) for after in widths)
        self.last = nn.Linear(widths[-1] * (height >> count) * (image_width >> count), 2 * latent)

    def forward(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the codes."""
        condition = None if self.embedding is None else self.embedding(labels)
        maps = images
        for shrink, norm in zip(self.shrink, self.norms, strict=True):
            maps = nn.functional.silu(norm(shrink(maps), condition))
        mean, log_variance = self.last(maps.flatten(1)).chunk(2, dim=1)
        return mean, log_variance


class CompactDecoder(nn.Module):
    """A linear layer, then transposed convolutions with (conditional) batch norm, then a convolution.

    Codes [N, latent] and labels int64 [N] to images [N, C, H, W] in [-1, 1].
    """

    def __init__(self, shape: tuple[int, int, int], latent: int, width: int, classes: int, embedding: int) -> None:
        super().__init__()
        channels, height, image_width = shape
        count = doublings(height, image_width)
        widths = [min(width * 2 ** (count - 1 - stage), width * _WIDEST) for stage in range(count)]
        condition = embedding if classes else 0
        self.embedding = nn.Embedding(classes, embedding) if classes else None
        self.base = (widths[0], height >> count, image_width >> count)
        self.first = nn.Linear(latent + condition, widths[0] * self.base[1] * self.base[2])
        after = [*widths[1:], width]
        self.norms = nn.ModuleList(ConditionalBatchNorm2d(channel, condition) for channel in widths)
        self.grow = nn.ModuleList(nn.ConvTranspose2d(one, two, 4, 2, 1) for one, two in zip(widths, after, strict=True))
        self.last_norm = ConditionalBatchNorm2d(width, condition)
        self.last = nn.Conv2d(width, channels, 3, 1, 1)

    def forward(self, codes: Tensor, labels: Tensor) -> Tensor:
        """Images in [-1, 1]."""
        condition = None if self.embedding is None else self.embedding(labels)
        maps = self.first(codes if condition is None else torch.cat([codes, condition], dim=1))
        maps = maps.reshape(-1, *self.base)
        for norm, grow in zip(self.norms, self.grow, strict=True):
            maps = grow(nn.functional.silu(norm(maps, condition)))
        images: Tensor = torch.tanh(self.last(nn.functional.silu(self.last_norm(maps, condition))))
        return images
