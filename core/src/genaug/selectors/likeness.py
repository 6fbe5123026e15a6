"""Measures how similar two images are, whatever their brightness and contrast and despite shifts of a few pixels."""

import torch
from torch import Tensor
from torch.nn import functional as F

SIDE = 32
REACH = 2
_BLUR = 2
_FLAT = 1e-6


def prepared(images: Tensor) -> Tensor:
    """Images float [N, C, H, W] in [-1, 1] to slightly blurred grey maps [N, 1, h, w] of about 32 pixels.

    They are grey and blurred because JPEG compression at these sizes mostly changes colour and the finest detail. On
    the two folders of docs/selection.md this separated re-encoded, shifted and brightened copies best from other
    images.
    """
    grey = images.float().mean(dim=1, keepdim=True)
    shrink = max(1, min(grey.shape[2:]) // SIDE)
    return F.avg_pool2d(F.avg_pool2d(grey, shrink), _BLUR, stride=1)


def distances(first: Tensor, second: Tensor) -> Tensor:
    """Distances [N, M] in [0, 2] between prepared maps [N, 1, h, w] and [M, 1, h, w]: 1 - correlation.

    The correlation is the largest over shifts of up to two pixels on each axis; only the overlap of the two maps is
    compared. It is normalised, so brightness and contrast do not change it. A flat map has distance 1 to every map.
    """
    best = first.new_full((len(first), len(second)), 2.0)
    for down in range(-REACH, REACH + 1):
        for right in range(-REACH, REACH + 1):
            one, two = _overlap(first, down, right), _overlap(second, -down, -right)
            best = torch.minimum(best, 1 - one @ two.T)
    return best.clamp_min(0)


def _overlap(maps: Tensor, down: int, right: int) -> Tensor:
    """The part of maps that stays in the frame after a shift, as vectors of mean 0 and length 1; zeros if flat."""
    height, width = maps.shape[2:]
    rows = slice(max(0, down), height + min(0, down))
    columns = slice(max(0, right), width + min(0, right))
    vectors = maps[:, :, rows, columns].flatten(1)
    vectors = vectors - vectors.mean(dim=1, keepdim=True)
    lengths = vectors.norm(dim=1, keepdim=True)
    return torch.where(lengths > _FLAT, vectors / lengths.clamp_min(_FLAT), torch.zeros_like(vectors))
