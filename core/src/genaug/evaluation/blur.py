"""How blurred an image is, as one number."""

import numpy as np
from numpy.typing import NDArray
from skimage.measure import blur_effect


def blur(pixels: NDArray[np.uint8]) -> float:
    """The blur of an image uint8 [H, W, C], at least 8x8, in [0, 1]; 0 for no blur (Crété-Roffet et al. 2007).

    Of its grey values, the larger of the vertical and the horizontal blur, as scikit-image's `blur_effect` has them. A
    direction without any change of grey does not count; a flat image is as blurred as can be.
    """
    grey = pixels.astype(np.float64).mean(axis=2) / 255
    if grey.min() == grey.max():
        return 1.0
    with np.errstate(invalid="ignore", divide="ignore"):
        both = blur_effect(grey, reduce_func=None)
    return float(np.nan_to_num(np.asarray(both, dtype=np.float64), nan=0.0).max())
