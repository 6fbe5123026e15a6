"""From which training image a drawn one stems."""

import numpy as np
from numpy.typing import NDArray

from genaug.data.duplicates import thumbnail
from genaug.data.split import TrainSplit

Rows = NDArray[np.int64]


class Stems:
    """Training images as thumbnails, to find the one that a drawn image looks most like."""

    def __init__(self, train: TrainSplit) -> None:
        self._thumbnails = np.stack([thumbnail(image) for image in train.images])

    def find(self, images: NDArray[np.uint8], parents: Rows) -> tuple[Rows, Rows, NDArray[np.float64]]:
        """Of images uint8 [N, H, W, C] with parents int64 [N, k], -1 for none.

        Gives the stems int64 [N] (the parent that looks most like each image, or the nearest training image where there
        is no parent), the nearest rows int64 [N], and their distances float64 [N], 1 - correlation of thumbnails.
        """
        alike = np.stack([thumbnail(image) for image in images]) @ self._thumbnails.T
        nearest = alike.argmax(axis=1).astype(np.int64)
        allowed = np.full(alike.shape, -np.inf)
        rows, columns = np.nonzero(parents >= 0)
        known = parents[rows, columns]
        allowed[rows, known] = alike[rows, known]
        leaning = (parents >= 0).any(axis=1)
        stems = np.where(leaning, allowed.argmax(axis=1), nearest).astype(np.int64)
        return stems, nearest, 1 - alike[np.arange(len(images)), nearest].astype(np.float64)
