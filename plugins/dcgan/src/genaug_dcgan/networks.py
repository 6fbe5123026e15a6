"""Networks of DCGAN: those of the paper for 64x64 pixels, and compact ones for any size, with and without classes."""

from itertools import pairwise

import torch
from genaug.layers.blocks import ConditionalBatchNorm2d, doublings
from torch import Tensor, nn

from genaug_dcgan.blocks import MinibatchDeviation, initialise_radford

_PAPER_WIDTHS = (512, 256, 128, 64)
_WIDEST = 8
_SUM = 16  # as the sum over a 4x4 map, so that scores have the same scale at any size


class PaperGenerator(nn.Sequential):
    """Five transposed convolutions: 512, 256, 128 and 64 channels with batch norm and ReLU, then tanh (docs/paper.md).

    Codes [N, latent, 1, 1] to images [N, C, 64, 64] in [-1, 1].
    """

    def __init__(self, latent: int, channels: int) -> None:
        first = [nn.ConvTranspose2d(latent, _PAPER_WIDTHS[0], 4, 1, 0, bias=False), *_after(_PAPER_WIDTHS[0])]
        layers: list[nn.Module] = first
        for before, width in pairwise(_PAPER_WIDTHS):
            layers += [nn.ConvTranspose2d(before, width, 4, 2, 1, bias=False), *_after(width)]
        super().__init__(*layers, nn.ConvTranspose2d(_PAPER_WIDTHS[-1], channels, 4, 2, 1, bias=False), nn.Tanh())
        self.apply(initialise_radford)


class PaperDiscriminator(nn.Sequential):
    """Five convolutions: 64 channels, then 128, 256 and 512 with batch norm, leaky ReLU and dropout, then sigmoid.

    Images [N, C, 64, 64] in [-1, 1] to probabilities of being real [N, 1, 1, 1].
    """

    def __init__(self, channels: int, dropout: float) -> None:
        widths = _PAPER_WIDTHS[::-1]
        layers = [nn.Conv2d(channels, widths[0], 4, 2, 1, bias=False), nn.LeakyReLU(0.2), nn.Dropout(dropout)]
        for before, width in pairwise(widths):
            layers += [nn.Conv2d(before, width, 4, 2, 1, bias=False), nn.BatchNorm2d(width)]
            layers += [nn.LeakyReLU(0.2), nn.Dropout(dropout)]
        super().__init__(*layers, nn.Conv2d(widths[-1], 1, 4, 1, 0, bias=False), nn.Sigmoid())
        self.apply(initialise_radford)


class CompactGenerator(nn.Module):
    """A linear layer, then transposed convolutions with batch norm, which is conditional if there are classes.

    Codes [N, latent] and labels int64 [N] to images [N, C, H, W] in [-1, 1].
    """

    def __init__(self, shape: tuple[int, int, int], latent: int, width: int, classes: int, embedding: int) -> None:
        super().__init__()
        channels, height, image_width = shape
        count = doublings(height, image_width)
        widths = [min(width * 2 ** (count - 1 - stage), width * _WIDEST) for stage in range(count)]
        self.base = (widths[0], height >> count, image_width >> count)
        self.embedding = nn.Embedding(classes, embedding) if classes else None
        condition = embedding if classes else 0
        self.first = nn.Linear(latent + condition, widths[0] * self.base[1] * self.base[2])
        self.norms = nn.ModuleList(ConditionalBatchNorm2d(channel, condition) for channel in widths)
        steps = zip(widths, [*widths[1:], channels], strict=True)
        self.grow = nn.ModuleList(nn.ConvTranspose2d(before, after, 4, 2, 1) for before, after in steps)

    def forward(self, codes: Tensor, labels: Tensor) -> Tensor:
        """Images in [-1, 1]."""
        condition = None if self.embedding is None else self.embedding(labels)
        maps = self.first(codes if condition is None else torch.cat([codes, condition], dim=1))
        maps = maps.reshape(-1, *self.base)
        for norm, grow in zip(self.norms, self.grow, strict=True):
            maps = grow(torch.relu(norm(maps, condition)))
        return torch.tanh(maps)


class CompactDiscriminator(nn.Module):
    """Strided convolutions, minibatch deviation, pooling, and a projection of the class.

    Images [N, C, H, W] in [-1, 1] and labels int64 [N] to logits of being real [N]. The projection is that of Miyato
    and Koyama 2018 (arXiv 1802.05637).
    """

    def __init__(self, shape: tuple[int, int, int], width: int, classes: int, dropout: float) -> None:
        super().__init__()
        channels, height, image_width = shape
        count = doublings(height, image_width)
        widths = [min(width * 2**stage, width * _WIDEST) for stage in range(count)]
        layers: list[nn.Module] = []
        for before, after in zip([channels, *widths], widths, strict=False):
            layers += [nn.Conv2d(before, after, 4, 2, 1), nn.LeakyReLU(0.2), nn.Dropout(dropout)]
        last = widths[-1]
        self.shrink = nn.Sequential(*layers, MinibatchDeviation())
        self.last = nn.Conv2d(last + 1, last, 3, 1, 1)
        self.score = nn.Linear(last, 1, bias=False)
        self.embedding = nn.Embedding(classes, last) if classes else None

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Logits of being real."""
        maps = nn.functional.leaky_relu(self.last(self.shrink(images)), 0.2)
        pooled = _SUM * maps.float().mean(dim=(2, 3))
        scores: Tensor = self.score(pooled).squeeze(1)
        return scores if self.embedding is None else scores + (self.embedding(labels) * pooled).sum(dim=1)


def _after(width: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(width), nn.ReLU()]
