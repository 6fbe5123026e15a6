"""The network of gmmn."""

import torch
from genaug.layers.blocks import doublings
from torch import Tensor, nn


class Decoder(nn.Module):
    """A linear layer, then transposed convolutions.

    Codes [N, latent] and labels int64 [N] to images [N, C, H, W] in [-1, 1].
    """

    def __init__(self, shape: tuple[int, int, int], latent: int, width: int, classes: int) -> None:
        super().__init__()
        channels, height, image_width = shape
        count = doublings(height, image_width)
        widths = [width * 2 ** min(count - 1 - stage, 3) for stage in range(count)]
        self.classes = classes
        self.base = (widths[0], height >> count, image_width >> count)
        self.first = nn.Linear(latent + classes, widths[0] * self.base[1] * self.base[2])
        layers: list[nn.Module] = []
        for before, after in zip(widths, [*widths[1:], channels], strict=True):
            layers += [nn.ReLU(), nn.ConvTranspose2d(before, after, 4, 2, 1)]
        self.grow = nn.Sequential(*layers)

    def forward(self, codes: Tensor, labels: Tensor) -> Tensor:
        """Images in [-1, 1]."""
        one_hot = nn.functional.one_hot(labels, self.classes).to(codes.dtype)
        maps = self.first(torch.cat([codes, one_hot], dim=1)).reshape(-1, *self.base)
        return torch.tanh(self.grow(maps))
