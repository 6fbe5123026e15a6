"""Network layers for plugins of different families."""

from torch import Tensor, nn

__all__ = ["ConditionalBatchNorm2d", "doublings"]

_SMALLEST_BASE = 4


def doublings(height: int, width: int) -> int:
    """How often height and width can be halved before one is odd or below 4: 64 -> 4, 104 -> 3, 16 -> 2.

    Both must be multiples of 8.
    """
    count = 0
    while (
        not (height >> count) % 2 and not (width >> count) % 2 and min(height, width) >> (count + 1) >= _SMALLEST_BASE
    ):
        count += 1
    return count


class ConditionalBatchNorm2d(nn.Module):
    """Batch norm whose scale and shift follow a condition (de Vries et al. 2017, arXiv 1707.00683).

    Feature maps [N, C, H, W] and condition [N, D] to feature maps [N, C, H, W]. With D = 0 it is plain batch norm, and
    the condition is None.
    """

    def __init__(self, channels: int, condition: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=not condition)
        self.modulation = nn.Linear(condition, 2 * channels) if condition else None
        if self.modulation is not None:
            nn.init.zeros_(self.modulation.bias)

    def forward(self, maps: Tensor, condition: Tensor | None) -> Tensor:
        """Normalise, then multiply by 1 + gamma and add beta, which are linear functions of the condition."""
        normalised: Tensor = self.norm(maps)
        if self.modulation is None or condition is None:
            return normalised
        modulation: Tensor = self.modulation(condition)[:, :, None, None]
        gamma, beta = modulation.chunk(2, dim=1)
        return normalised * (1 + gamma) + beta
