"""The measure of blur that the metric and the selector share."""

import numpy as np
import torch
from skimage.measure import blur_effect
from torch import Tensor


def blurs(images: Tensor) -> Tensor:
    """Blur of each image [N, C, H, W], float64 [N] in [0, 1]: 0 is sharp, 1 is fully blurred.

    An image without edges along its rows or columns counts as fully blurred; `blur_effect` is undefined for it.
    """
    grey = images.double().mean(dim=1).cpu().numpy()
    with np.errstate(invalid="ignore"):
        values = [np.nan_to_num(blur_effect(image), nan=1.0) for image in grey]
    return torch.tensor(values, dtype=torch.float64)
