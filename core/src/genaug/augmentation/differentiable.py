"""Differentiable augmentation for GANs with few training images (DiffAugment, Zhao et al. 2020, arXiv 2006.10738).

It never flips. Own code, because libraries such as kornia draw from torch's global random generator, and here every
random number must come from `noise`.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from genaug.chance import Noise

__all__ = ["differentiable"]

_TRANSLATION = 0.125
_CUTOUT = 0.5


def differentiable(images: Tensor, policy: Sequence[str], noise: Noise) -> Tensor:
    """Apply the steps of a policy to images [N, C, H, W] in [-1, 1], in order.

    Applied to real and fake images, they keep the discriminator from memorising the few real ones.
    policy: any of "color", "translation" and "cutout"; another name raises KeyError.
    """
    for step in policy:
        images = _STEPS[step](images, noise)
    return images


def _color(images: Tensor, noise: Noise) -> Tensor:
    """Add [-0.5, 0.5) to brightness, multiply saturation by [0, 2) and contrast by [0.5, 1.5)."""
    brightness, saturation, contrast = noise.uniform(3, 1, 1, 1).to(images.dtype).unbind(1)
    images = images + (brightness - 0.5)
    grey = images.mean(dim=1, keepdim=True)
    images = (images - grey) * (saturation * 2) + grey
    middle = images.mean(dim=(1, 2, 3), keepdim=True)
    return (images - middle) * (contrast + 0.5) + middle


def _translation(images: Tensor, noise: Noise) -> Tensor:
    """Shift by up to an eighth of height and width; zeros fill the gap."""
    count, _, height, width = images.shape
    down, right = (round(size * _TRANSLATION) for size in (height, width))
    shares = noise.uniform(2)
    rows = _shifted(shares[:, 0], down, height, images.device)
    columns = _shifted(shares[:, 1], right, width, images.device)
    padded = F.pad(images, (right, right, down, down))
    batch = torch.arange(count, device=images.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[batch, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def _shifted(shares: Tensor, reach: int, size: int, device: torch.device) -> Tensor:
    """Indices [N, size] into an axis padded by `reach`, shifted by an integer in [-reach, reach]."""
    offsets = (shares * (2 * reach + 1)).floor().to(torch.int64)
    return offsets[:, None] + torch.arange(size, device=device)


def _cutout(images: Tensor, noise: Noise) -> Tensor:
    """Set a rectangle of half the height and width, centred anywhere, to zero."""
    height, width = images.shape[2:]
    shares = noise.uniform(2)
    rows = _covered(shares[:, 0], height, images.device)[:, :, None]
    columns = _covered(shares[:, 1], width, images.device)[:, None, :]
    return images * (~(rows & columns)).unsqueeze(1).to(images.dtype)


def _covered(shares: Tensor, size: int, device: torch.device) -> Tensor:
    """Which positions of one axis the rectangle covers, bool [N, size]."""
    half = int(size * _CUTOUT) // 2
    centres = (shares * size).floor().to(torch.int64)[:, None]
    places = torch.arange(size, device=device)
    return (places >= centres - half) & (places < centres + half)


_STEPS: dict[str, Callable[[Tensor, Noise], Tensor]] = {
    "color": _color,
    "translation": _translation,
    "cutout": _cutout,
}
