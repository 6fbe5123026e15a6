"""Terms of the evidence lower bound: how well images are reconstructed, and how far codes are from the prior."""

import torch
from torch import Tensor
from torch.nn import functional as F

_LEAST = 1e-6


def reconstruction(kind: str, found: Tensor, images: Tensor) -> Tensor:
    """bce, mse or pyramid of images [N, C, H, W] in [-1, 1]: summed over pixels, mean over images; a scalar."""
    if kind == "pyramid":
        return pyramid_distance(found, images)
    one, two = (found.float() + 1) / 2, (images.float() + 1) / 2
    if kind == "mse":
        return F.mse_loss(one, two, reduction="sum") / len(images)
    with torch.autocast(one.device.type, enabled=False):  # on probabilities it is unsafe in half precision
        return F.binary_cross_entropy(one.clamp(_LEAST, 1 - _LEAST), two, reduction="sum") / len(images)


def pyramid_distance(found: Tensor, images: Tensor) -> Tensor:
    """L1 between Laplacian pyramids, level j weighted by 4^j (Bojanowski et al. 2018, arXiv 1707.05776); a scalar.

    Levels halve until a side is odd or below 8. Every level then counts alike per image, so that edges weigh as much as
    the colour of large areas, where a squared error sees little but the latter.
    """
    difference = found.float() - images.float()  # the pyramid is linear
    total, weight = difference.new_zeros(()), 1.0
    while min(difference.shape[2:]) >= 8 and not (difference.shape[2] % 2 or difference.shape[3] % 2):
        small = F.avg_pool2d(difference, 2)
        band = difference - F.interpolate(small, scale_factor=2, mode="bilinear", align_corners=False)
        total = total + weight * band.abs().sum()
        difference, weight = small, 4 * weight
    return (total + weight * difference.abs().sum()) / len(images)


def kl_divergence(mean: Tensor, log_variance: Tensor, free_bits: float) -> Tensor:
    """KL divergence of N(mean, exp(log_variance)) [N, D] from N(0, 1): summed over D, mean over N; a scalar.

    Each number of the code has `free_bits` nats on average over the batch for nothing (Kingma et al. 2016,
    arXiv 1606.04934), or it may fall silent.
    """
    each = 0.5 * (mean.float().square() + log_variance.float().exp() - 1 - log_variance.float())
    return each.mean(dim=0).clamp_min(free_bits).sum()
