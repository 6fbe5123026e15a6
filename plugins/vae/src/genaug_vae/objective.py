"""The two terms of the evidence lower bound: reconstruction error, and KL divergence of the codes from the prior."""

import torch
from torch import Tensor
from torch.nn import functional as F

_LEAST = 1e-6


def reconstruction(kind: str, found: Tensor, images: Tensor) -> Tensor:
    """Reconstruction error of images [N, C, H, W] in [-1, 1]: sum over pixels, mean over images; a scalar.

    kind: bce (binary cross-entropy), mse (squared error) or pyramid (see `pyramid_distance`).
    """
    if kind == "pyramid":
        return pyramid_distance(found, images)
    one, two = (found.float() + 1) / 2, (images.float() + 1) / 2
    if kind == "mse":
        return F.mse_loss(one, two, reduction="sum") / len(images)
    with torch.autocast(one.device.type, enabled=False):  # torch: unsafe to autocast
        return F.binary_cross_entropy(one.clamp(_LEAST, 1 - _LEAST), two, reduction="sum") / len(images)


def pyramid_distance(found: Tensor, images: Tensor) -> Tensor:
    """L1 between Laplacian pyramids, level j weighted by 4^j (Bojanowski et al. 2018, arXiv 1707.05776); a scalar.

    Levels are halved until height or width is odd or below 8. With these weights all levels count equally, so that
    edges matter as much as the colour of large areas, which dominates a squared error.
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

    free_bits: divergence below which a number of the code is not penalised, in nats, averaged over the batch (Kingma et
    al. 2016, arXiv 1606.04934); it keeps numbers of the code from becoming constant.
    """
    each = 0.5 * (mean.float().square() + log_variance.float().exp() - 1 - log_variance.float())
    return each.mean(dim=0).clamp_min(free_bits).sum()
