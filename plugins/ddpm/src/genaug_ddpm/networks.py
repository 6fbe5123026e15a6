"""The networks, both diffusers' UNet2DModel: the report's at 64x64, and a compact one for any size."""

import math

from diffusers import UNet2DModel
from torch import Tensor, nn

_PAPER_DOWN = ("DownBlock2D",) * 4 + ("AttnDownBlock2D", "DownBlock2D")
_PAPER_UP = ("UpBlock2D", "AttnUpBlock2D") + ("UpBlock2D",) * 4
_PAPER_WIDTHS = (64, 64, 128, 128, 256, 256)
_HEAD = 8
_SMALLEST = 4
_LEVELS = 4


def paper_network(channels: int, classes: int) -> UNet2DModel:
    """The report's UNet at 64x64: six levels, two layers each, attention at the fifth; 28.4 M parameters (PAPER.md)."""
    return UNet2DModel(
        sample_size=64,
        in_channels=channels,
        out_channels=channels,
        layers_per_block=2,
        block_out_channels=_PAPER_WIDTHS,
        down_block_types=_PAPER_DOWN,
        up_block_types=_PAPER_UP,
        num_class_embeds=classes or None,
    )


class CompactNetwork(nn.Module):
    """A UNet on patches: `patch` x `patch` pixels become channels, so that most of the work is done on small maps.

    Noisy images [N, C, H, W], time steps int64 [N] and labels int64 [N] to the prediction [N, C, H, W]. One layer per
    level, `width` channels at the largest maps and twice that below, at most four levels, attention at 4 to 7 pixels.
    Maps whose sides cannot be halved so often are continued at their edge.
    """

    def __init__(self, shape: tuple[int, int, int], width: int, patch: int, classes: int) -> None:
        super().__init__()
        channels, height, image_width = shape
        self.patch = patch
        sides = _sides(min(height, image_width) // patch)
        self.multiple = 2 ** (len(sides) - 1)
        attentive = [side < 2 * _SMALLEST for side in sides]
        self.body = UNet2DModel(
            sample_size=(height // patch, image_width // patch),
            in_channels=channels * patch**2,
            out_channels=channels * patch**2,
            layers_per_block=1,
            block_out_channels=(width, *[2 * width] * (len(sides) - 1)),
            down_block_types=tuple("AttnDownBlock2D" if one else "DownBlock2D" for one in attentive),
            up_block_types=tuple("AttnUpBlock2D" if one else "UpBlock2D" for one in reversed(attentive)),
            attention_head_dim=_HEAD,
            norm_num_groups=_HEAD,
            num_class_embeds=classes or None,
            add_attention=False,
        )

    def forward(self, noisy: Tensor, times: Tensor, class_labels: Tensor | None = None) -> Tensor:
        """The prediction."""
        patches = nn.functional.pixel_unshuffle(noisy, self.patch)
        height, width = patches.shape[2:]
        beyond = (0, -width % self.multiple, 0, -height % self.multiple)
        if any(beyond):
            patches = nn.functional.pad(patches, beyond, mode="replicate")
        found: Tensor = self.body(patches, times, class_labels=class_labels).sample[:, :, :height, :width]
        return nn.functional.pixel_shuffle(found, self.patch)


def _sides(side: int) -> list[int]:
    """The shorter sides of the levels: halved while at least 4 pixels are left, four levels at most."""
    sides = [side]
    while len(sides) < _LEVELS and sides[-1] >= 2 * _SMALLEST:
        sides.append(math.ceil(sides[-1] / 2))
    return sides
