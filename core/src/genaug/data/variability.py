"""Measures how far two similar images differ beside what different images of the same set differ by."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Doubles = NDArray[np.float64]

SIDE = 16
CHANNELS = 3
_MOST_IMAGES = 1024  # enough for a covariance of 96 directions
_MOST_DIRECTIONS = 96
_IMAGES_PER_DIRECTION = 3
_CHANGES = 11
_NOISE = 1e-6  # variance of a direction that is rounding alone: about one grey level in images of usual contrast
_RIDGE = 1e-6  # keeps the changes solvable where two of them are one, as in a grey image
_BATCH = 64  # pairs; each takes 140 KB
_LUMA = np.array([[0.299, 0.587, 0.114], [-0.169, -0.331, 0.5], [0.5, -0.419, -0.081]])  # Y, Cb, Cr of ITU-R BT.601
_COLOUR = 0.5  # weight of Cb and Cr, which JPEG stores coarsely

_GRID = np.arange(SIDE) - (SIDE - 1) / 2


def luma_weighted(thumbnails: Vectors) -> Vectors:
    """Thumbnails [N, 768] as brightness and half of the colour, [N, 768], of mean 0 and length 1; zeros stay zeros.

    JPEG changes the colour of small images more than their brightness.
    """
    mixing = (_LUMA * np.array([[1.0], [_COLOUR], [_COLOUR]])).T.astype(np.float32)
    mixed = (thumbnails.reshape(-1, CHANNELS) @ mixing).reshape(thumbnails.shape)
    mixed -= mixed.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(mixed, axis=1, keepdims=True)
    weighted: Vectors = np.divide(mixed, lengths, out=np.zeros_like(mixed), where=lengths > 0)
    return weighted


def different_images(vectors: Iterable[Vectors], near: float) -> Vectors:
    """Those of vectors [768] of length 1 of which no two correlate by `near` or more, taken in order, at most 1024.

    So a picture with many copies counts once, and a set that consists of copies has few different images. Zeros are
    left out.
    """
    kept = np.empty((_MOST_IMAGES, SIDE * SIDE * CHANNELS), dtype=np.float32)
    count = 0
    for vector in vectors:
        if count == _MOST_IMAGES:
            break
        if vector.any() and (not count or (kept[:count] @ vector).max() < near):
            kept[count] = vector
            count += 1
    return kept[:count]


class Variability:
    """The directions in which different images of a set vary, and how much.

    images: luma-weighted thumbnails [N, 768] of different images, see `different_images`.
    """

    def __init__(self, images: Vectors) -> None:
        centred = images.astype(np.float64) - images.mean(axis=0, dtype=np.float64)
        count = min(_MOST_DIRECTIONS, len(images) // _IMAGES_PER_DIRECTION)
        self._whitening: Doubles = np.empty((0, images.shape[1]))
        if count >= 2 * _CHANGES:
            variances, directions = np.linalg.eigh(centred.T @ centred / len(images))  # half of the memory of an SVD
            deviations = np.sqrt(variances[-count:] + _NOISE)
            self._whitening = (directions[:, -count:] / deviations).T

    @property
    def is_known(self) -> bool:
        """Whether there were enough different images, at least 66, to tell how images of the set vary."""
        return len(self._whitening) > 0

    def differences(self, first: Vectors, second: Vectors) -> Doubles:
        """The difference of each pair of luma-weighted thumbnails [P, 768], float64 [P]; 1 is that of different images.

        It is the squared Mahalanobis distance in the set's 96 (or fewer) principal directions, over its mean for two
        images of the set. What a small shift, stretch, rotation, blur, brighter or more contrast changes is left out:
        the tangent distance (Simard, LeCun and Denker, 1993).
        """
        parts = [
            self._batch(first[start : start + _BATCH].astype(np.float64), second[start : start + _BATCH])
            for start in range(0, len(first), _BATCH)
        ]
        return np.concatenate([np.empty(0), *parts])

    def _batch(self, first: Doubles, second: Vectors) -> Doubles:
        change = self._whitening @ _changes((first + second) / 2).transpose(0, 2, 1)
        difference = (first - second) @ self._whitening.T
        products = change.transpose(0, 2, 1) @ change
        size = np.trace(products, axis1=1, axis2=2)[:, None, None] / products.shape[1]
        ridge = (_RIDGE * size + np.finfo(np.float64).tiny) * np.eye(products.shape[1])
        amounts = np.linalg.solve(products + ridge, change.transpose(0, 2, 1) @ difference[:, :, None])
        left = difference - (change @ amounts)[:, :, 0]
        relative: Doubles = (left**2).sum(axis=1) / (2 * (len(self._whitening) - _CHANGES))
        return relative


def _changes(vectors: Doubles) -> Doubles:
    """What small changes of a picture add to it: vectors [P, 768] to [P, 11, 768].

    The changes are: shift, stretch along each axis, rotation and shear, blur, contrast, brightness of each channel.
    """
    images = vectors.reshape(-1, SIDE, SIDE, CHANNELS)
    down, right = np.gradient(images, axis=1), np.gradient(images, axis=2)
    rows, columns = _GRID[:, None, None], _GRID[None, :, None]
    offsets = [np.broadcast_to(np.eye(CHANNELS)[channel], images.shape) for channel in range(CHANNELS)]
    changes = [
        *(down, right),
        *(down * rows, right * columns, down * columns, right * rows),
        _blurred(images) - images,
        images,
        *offsets,
    ]
    stacked: Doubles = np.stack(changes, axis=1).reshape(len(vectors), _CHANGES, -1)
    return stacked


def _blurred(images: Doubles) -> Doubles:
    """Images [P, H, W, C] under the binomial filter 1-2-1 along both axes."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    tall = (padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]) / 4
    blurred: Doubles = (tall[:, :, :-2] + 2 * tall[:, :, 1:-1] + tall[:, :, 2:]) / 4
    return blurred
