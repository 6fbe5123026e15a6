"""Differentiable augmentation against small-data collapse (DiffAugment, Zhao et al. 2020, arXiv 2006.10738).

Own code, because the kept libraries (kornia) draw from torch's global chance, which belongs to the run. Never a flip.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from genaug.chance import Noise

_TRANSLATION = 0.125
_CUTOUT = 0.5


def differentiable(images: Tensor, policy: Sequence[str], noise: Noise) -> Tensor:
    """Change images [N, C, H, W] in [-1, 1] by steps of the policy, each differentiable: color, translation, cutout.

    Real and fake images get it alike, so that the discriminator never learns the few real images by heart.
    Raises KeyError for an unknown step.
    """
    for step in policy:
        images = _STEPS[step](images, noise)
    return images


def _color(images: Tensor, noise: Noise) -> Tensor:
    """Brightness +-0.5 of images in [-1, 1], as in the paper's code; saturation x [0, 2), contrast x [0.5, 1.5)."""
    brightness, saturation, contrast = noise.uniform(3, 1, 1, 1).to(images.dtype).unbind(1)
    images = images + (brightness - 0.5)
    grey = images.mean(dim=1, keepdim=True)
    images = (images - grey) * (saturation * 2) + grey
    middle = images.mean(dim=(1, 2, 3), keepdim=True)
    return (images - middle) * (contrast + 0.5) + middle


def _translation(images: Tensor, noise: Noise) -> Tensor:
    """Shift by up to an eighth of each side, zeros coming in."""
    count, _, height, width = images.shape
    down, right = (round(side * _TRANSLATION) for side in (height, width))
    shares = noise.uniform(2)
    rows = _moved(shares[:, 0], down, height, images.device)
    columns = _moved(shares[:, 1], right, width, images.device)
    padded = F.pad(images, (right, right, down, down))
    batch = torch.arange(count, device=images.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[batch, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def _moved(shares: Tensor, reach: int, side: int, device: torch.device) -> Tensor:
    """Indices [N, side] into a padded axis, moved by an integer in [-reach, reach]."""
    offsets = (shares * (2 * reach + 1)).floor().to(torch.int64)
    return offsets[:, None] + torch.arange(side, device=device)


def _cutout(images: Tensor, noise: Noise) -> Tensor:
    """A square of half the side, anywhere, set to zero."""
    height, width = images.shape[2:]
    shares = noise.uniform(2)
    rows = _hidden(shares[:, 0], height, images.device)[:, :, None]
    columns = _hidden(shares[:, 1], width, images.device)[:, None, :]
    return images * (~(rows & columns)).unsqueeze(1).to(images.dtype)


def _hidden(shares: Tensor, side: int, device: torch.device) -> Tensor:
    """Which positions [N, side] the square covers."""
    half = int(side * _CUTOUT) // 2
    centres = (shares * side).floor().to(torch.int64)[:, None]
    places = torch.arange(side, device=device)
    return (places >= centres - half) & (places < centres + half)


_STEPS: dict[str, Callable[[Tensor, Noise], Tensor]] = {
    "color": _color,
    "translation": _translation,
    "cutout": _cutout,
}
