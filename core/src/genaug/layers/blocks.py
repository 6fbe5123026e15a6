"""Building blocks that several plugins share."""

import torch
from torch import Tensor, nn

_SMALLEST_BASE = 4


def doublings(height: int, width: int) -> int:
    """How often both sides, multiples of 8, can be halved before one is odd or below 4: 64 -> 4, 104 -> 3, 16 -> 2."""
    count = 0
    while (
        not (height >> count) % 2 and not (width >> count) % 2 and min(height, width) >> (count + 1) >= _SMALLEST_BASE
    ):
        count += 1
    return count


def initialise_radford(module: nn.Module) -> None:
    """Weights N(0, 0.02) for convolutions and N(1, 0.02) for batch norms (Radford et al. 2016, arXiv 1511.06434)."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


class ConditionalBatchNorm2d(nn.Module):
    """Batch norm whose scale and shift follow a condition (de Vries et al. 2017, arXiv 1707.00683).

    Maps [N, C, H, W] and condition [N, D] to maps; with D = 0 it is plain batch norm and the condition is None.
    """

    def __init__(self, channels: int, condition: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=not condition)
        self.modulation = nn.Linear(condition, 2 * channels) if condition else None
        if self.modulation is not None:
            nn.init.zeros_(self.modulation.bias)

    def forward(self, maps: Tensor, condition: Tensor | None) -> Tensor:
        """Normalise, then scale by 1 + gamma and shift by beta."""
        normed: Tensor = self.norm(maps)
        if self.modulation is None or condition is None:
            return normed
        steering: Tensor = self.modulation(condition)[:, :, None, None]
        gamma, beta = steering.chunk(2, dim=1)
        return normed * (1 + gamma) + beta


class MinibatchDeviation(nn.Module):
    """One more channel: the mean standard deviation over the batch (Karras et al. 2018, arXiv 1710.10196).

    Maps [N, C, H, W] to [N, C + 1, H, W]; tells a discriminator when all fakes look alike.
    """

    def forward(self, maps: Tensor) -> Tensor:
        """Append the channel; a batch of one deviates by nothing."""
        deviation = (maps.float().var(dim=0, unbiased=False) + 1e-8).sqrt().mean().to(maps.dtype)
        return torch.cat([maps, deviation.expand(len(maps), 1, *maps.shape[2:])], dim=1)
