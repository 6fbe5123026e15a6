"""Finds the source image of each generated image among the training images."""

import numpy as np
from numpy.typing import NDArray

from genaug.data.duplicates import thumbnail
from genaug.data.split import TrainSplit

Rows = NDArray[np.int64]


class Attribution:
    """Finds the source image and the nearest training image of each generated image, by comparing thumbnails.

    A generator may record parents: the training images that it used for an image. The source image is the parent that
    looks most like the generated image. Without recorded parents it is the nearest training image.
    """

    def __init__(self, train: TrainSplit) -> None:
        self._thumbnails = np.stack([thumbnail(image) for image in train.images])

    def find(self, images: NDArray[np.uint8], parents: Rows) -> tuple[Rows, Rows, NDArray[np.float64]]:
        """The sources, the nearest training images and their distances, for generated images uint8 [N, H, W, C].

        parents: int64 [N, k], row ids of the recorded parents of each image, -1 for none.
        Returns the row of each source image int64 [N], the row of each nearest training image int64 [N], and the
        distance to the nearest one float64 [N]: 1 - correlation of the thumbnails.
        """
        similarity = np.stack([thumbnail(image) for image in images]) @ self._thumbnails.T
        nearest = similarity.argmax(axis=1).astype(np.int64)
        among_parents = np.full(similarity.shape, -np.inf)
        rows, columns = np.nonzero(parents >= 0)
        known = parents[rows, columns]
        among_parents[rows, known] = similarity[rows, known]
        has_parents = (parents >= 0).any(axis=1)
        sources = np.where(has_parents, among_parents.argmax(axis=1), nearest).astype(np.int64)
        return sources, nearest, 1 - similarity[np.arange(len(images)), nearest].astype(np.float64)
