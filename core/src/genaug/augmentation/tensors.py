"""Augmentation of batches on float tensors: every image is turned, scaled, shifted and recoloured on its own.

Own code, because the batched transforms of torchvision draw from torch's global random generator, and here every random
number must come from `noise`. It flips images and changes hues only where it is told to.
"""

import math
from collections.abc import Collection

import torch
from torch import Tensor
from torch.nn import functional as F

from genaug.chance import Noise

_AXES = {"horizontal": 3, "vertical": 2}
_COLOURS = 3


def varied(
    images: Tensor,
    noise: Noise,
    *,
    degrees: float = 15.0,
    scale: float = 0.15,
    shift: float = 0.15,
    brightness: float = 0.2,
    contrast: float = 0.3,
    saturation: float = 0.3,
    hue: float = 0.0,
    flips: Collection[str] = (),
) -> Tensor:
    """Changed images [N, C, H, W] in [-1, 1]; each change of each image is uniform between minus and plus its limit.

    degrees: rotation about the centre. scale: relative change of the size. shift: share of height and width. What comes
    into view is the reflected image. brightness: added to all values. contrast, saturation: relative change of the
    distance from the image's mean, and from the grey of each pixel. hue: degrees by which the colours of images with
    three channels turn about grey. A limit of 0 switches a change off. flips: "horizontal" or "vertical", each of which
    half of the images get.
    """
    turn, size, right, down, light, spread, colour = (noise.uniform(7).to(images.dtype) * 2 - 1).unbind(1)
    for axis in (_AXES[flip] for flip in flips):
        images = torch.where((noise.uniform() < 0.5)[:, None, None, None], images.flip(axis), images)
    placed = _placed(images, turn * math.radians(degrees), 1 + scale * size, shift * right, shift * down)
    if hue and images.shape[1] == _COLOURS:
        placed = _turned_colours(placed, math.radians(hue) * (noise.uniform().to(images.dtype) * 2 - 1))
    return _recoloured(placed, brightness * light, 1 + contrast * spread, 1 + saturation * colour).clamp(-1, 1)


def _placed(images: Tensor, angles: Tensor, sizes: Tensor, right: Tensor, down: Tensor) -> Tensor:
    """Images turned by angles in radians, enlarged by sizes and shifted by shares of width and height, each [N]."""
    # sums of products instead of F.affine_grid, whose matrix product loses a tenth of a pixel under bf16 autocast
    height, width = images.shape[2:]
    across = _centres(width, images)[None, None, :] - 2 * right[:, None, None]
    along = _centres(height, images)[None, :, None] - 2 * down[:, None, None]
    cosine, sine = (one[:, None, None] for one in (angles.cos() / sizes, angles.sin() / sizes))
    columns = cosine * across - sine * along * (height / width)
    rows = sine * across * (width / height) + cosine * along
    grid = torch.stack([columns, rows], dim=3)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def _centres(size: int, images: Tensor) -> Tensor:
    """The centres of the pixels of one axis, [size] in (-1, 1)."""
    return (torch.arange(size, dtype=images.dtype, device=images.device) * 2 + 1) / size - 1


def _recoloured(images: Tensor, brightness: Tensor, contrast: Tensor, saturation: Tensor) -> Tensor:
    brightness, contrast, saturation = (one[:, None, None, None] for one in (brightness, contrast, saturation))
    grey = images.mean(dim=1, keepdim=True)
    images = grey + (images - grey) * saturation
    middle = images.mean(dim=(1, 2, 3), keepdim=True)
    return middle + (images - middle) * contrast + brightness


def _turned_colours(images: Tensor, angles: Tensor) -> Tensor:
    """Colours turned by angles [N] in radians about the axis of grey, by Rodrigues' formula; grey stays as it is."""
    grey = images.mean(dim=1, keepdim=True)
    across = (images.roll(1, dims=1) - images.roll(-1, dims=1)) / math.sqrt(3)  # the cross product with that axis
    cosine, sine = (one[:, None, None, None] for one in (angles.cos(), angles.sin()))
    return grey + (images - grey) * cosine + across * sine
