"""The networks, both on diffusers' UNet2DModel: that of the paper for 64x64 pixels, and a compact one for any size."""

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
    """The UNet of the paper (docs/paper.md): six levels of two layers, attention at the fifth; 28.4 million parameters.

    classes: number of class embeddings, 0 for none.
    """
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
    """A UNet on patches of `patch` x `patch` pixels, which become channels: small feature maps need less time.

    Noisy images [N, C, H, W], time steps int64 [N] and labels int64 [N] to the prediction [N, C, H, W]. At most four
    levels of one layer each, with `width` channels at the first and twice as many at the others, and attention where
    the smaller of height and width is below 8. Feature maps whose height or width cannot be halved so often are padded
    by repeating their edge.
    classes: number of class embeddings, 0 for none.
    """

    def __init__(self, shape: tuple[int, int, int], width: int, patch: int, classes: int) -> None:
        super().__init__()
        channels, height, image_width = shape
        self.patch = patch
        sizes = _level_sizes(min(height, image_width) // patch)
        self.multiple = 2 ** (len(sizes) - 1)
        attentive = [size < 2 * _SMALLEST for size in sizes]
        self.body = UNet2DModel(
            sample_size=(height // patch, image_width // patch),
            in_channels=channels * patch**2,
            out_channels=channels * patch**2,
            layers_per_block=1,
            block_out_channels=(width, *[2 * width] * (len(sizes) - 1)),
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


def _level_sizes(size: int) -> list[int]:
    """The smaller of height and width at each level: halved while at least 4 are left, four levels at most."""
    sizes = [size]
    while len(sizes) < _LEVELS and sizes[-1] >= 2 * _SMALLEST:
        sizes.append(math.ceil(sizes[-1] / 2))
    return sizes
