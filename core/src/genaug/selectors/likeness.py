"""How alike two pictures are whatever their brightness, and where one is moved by a few pixels."""

import torch
from torch import Tensor
from torch.nn import functional as F

SIDE = 32
REACH = 2
_BLUR = 2
_FLAT = 1e-6


def prepared(images: Tensor) -> Tensor:
    """Images float [N, C, H, W] in [-1, 1] to grey maps [N, 1, h, w] of about 32 pixels, slightly blurred.

    Grey and blur, because JPEG at these sizes mostly changes colour and the finest detail. On three real folders this
    told re-encoded, shifted and brightened copies from other images best (docs/selection.md).
    """
    grey = images.float().mean(dim=1, keepdim=True)
    shrink = max(1, min(grey.shape[2:]) // SIDE)
    return F.avg_pool2d(F.avg_pool2d(grey, shrink), _BLUR, stride=1)


def distances(first: Tensor, second: Tensor) -> Tensor:
    """1 - correlation of all pairs of prepared maps [N, 1, h, w] and [M, 1, h, w], the least over shifts: [N, M].

    Normalised cross-correlation, so that brightness and contrast drop out; shifts of up to two pixels on each axis,
    compared where both have pixels. In [0, 2]; a flat map is at distance 1 from everything.
    """
    best = first.new_full((len(first), len(second)), 2.0)
    for down in range(-REACH, REACH + 1):
        for right in range(-REACH, REACH + 1):
            one, two = _overlap(first, down, right), _overlap(second, -down, -right)
            best = torch.minimum(best, 1 - one @ two.T)
    return best.clamp_min(0)


def _overlap(maps: Tensor, down: int, right: int) -> Tensor:
    """What is left of maps that are moved out of their frame, as vectors of mean 0 and length 1; zeros if flat."""
    height, width = maps.shape[2:]
    rows = slice(max(0, down), height + min(0, down))
    columns = slice(max(0, right), width + min(0, right))
    vectors = maps[:, :, rows, columns].flatten(1)
    vectors = vectors - vectors.mean(dim=1, keepdim=True)
    lengths = vectors.norm(dim=1, keepdim=True)
    return torch.where(lengths > _FLAT, vectors / lengths.clamp_min(_FLAT), torch.zeros_like(vectors))
