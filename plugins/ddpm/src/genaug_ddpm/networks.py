"""The networks, both diffusers' UNet2DModel: the report's at 64x64, and a compact one for any size."""

from diffusers import UNet2DModel

_PAPER_DOWN = ("DownBlock2D",) * 4 + ("AttnDownBlock2D", "DownBlock2D")
_PAPER_UP = ("UpBlock2D", "AttnUpBlock2D") + ("UpBlock2D",) * 4
_PAPER_WIDTHS = (64, 64, 128, 128, 256, 256)
_HEAD = 8
_ATTENTION_SIDE = 8


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


def compact_network(shape: tuple[int, int, int], width: int, classes: int) -> UNet2DModel:
    """One layer per level, `width` channels at the largest maps and twice that below, attention at 8 pixels and less."""
    channels, height, image_width = shape
    levels = _levels(height, image_width)
    widths = [width, *[2 * width] * (levels - 1)]
    sides = [min(height, image_width) >> level for level in range(levels)]
    attentive = [side <= _ATTENTION_SIDE for side in sides]
    return UNet2DModel(
        sample_size=(height, image_width),
        in_channels=channels,
        out_channels=channels,
        layers_per_block=1,
        block_out_channels=tuple(widths),
        down_block_types=tuple("AttnDownBlock2D" if one else "DownBlock2D" for one in attentive),
        up_block_types=tuple("AttnUpBlock2D" if one else "UpBlock2D" for one in reversed(attentive)),
        attention_head_dim=_HEAD,
        norm_num_groups=_HEAD,
        num_class_embeds=classes or None,
        add_attention=False,
    )


def _levels(height: int, width: int) -> int:
    """As many as can be halved evenly, down to sides of 4 or 8: 16 -> 3, 32 -> 3, 64 -> 4, 24x32 -> 3."""
    levels = 1
    while min(height, width) >> levels >= 4 and not (height >> levels - 1) % 2 and not (width >> levels - 1) % 2:
        levels += 1
    return levels
