"""Finds duplicates: exact ones by a hash of their pixels, near-duplicates by comparing small thumbnails."""

import hashlib

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from genaug.data.resize import resize

SIDE = 16
# The least correlation of near-duplicates. Measured on three real folders of distinct files (traffic signs of 26 to 490
# pixels, German signs of 35, blood cells of 131 and more; 137,598 pairs) with planted copies. At 0.95, copies saved as
# JPEG of quality 60 are found in 100, 92 and 100 % of cases; brightened by a tenth or scaled by 0.7 in 100 %; shifted
# by one pixel in 100, 3 and 100 %, by two in 63, 0 and 100 %: a shift is found if it is less than half a cell of the
# thumbnail. 31 pairs of distinct files (0.02 %) pass too; all but one of them show the same sign or cell a moment
# later, so they must not be in two splits. 0.90 joins distinct German signs, 0.97 misses a fifth of their JPEG copies.
NEAR = 0.95
_FLAT = 1e-3
_CHUNK = 1024

Rows = NDArray[np.int64]
Vectors = NDArray[np.float32]


def pixel_hash(pixels: NDArray[np.uint8]) -> str:
    """A hash of decoded pixels uint8 [H, W, C]; the file format and grey stored as colour do not change it."""
    colour = np.broadcast_to(pixels, (*pixels.shape[:2], 3))
    digest = hashlib.blake2b(repr(colour.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(colour).tobytes())
    return digest.hexdigest()


def thumbnail(pixels: NDArray[np.uint8]) -> Vectors:
    """Pixels uint8 [H, W, C] to a vector float32 [768] of mean 0 and length 1; a flat image gives zeros.

    The dot product of two vectors is the correlation of two 16x16 colour thumbnails; brightness and contrast do not
    change it.
    """
    small = resize(pixels, SIDE, SIDE, 3, "stretch").astype(np.float32).ravel()
    small -= small.mean()
    length = float(np.linalg.norm(small))
    return small / length if length > _FLAT else np.zeros_like(small)


def near_pairs(thumbnails: Vectors) -> Rows:
    """Pairs of near-duplicates among thumbnails [N, 768]: rows int64 [P, 2], the smaller row first, in sorted order.

    Exact duplicates are included. Flat images have no near-duplicates, not even each other. Similarities are computed
    in chunks of rows; memory grows with the number of pairs that are found.
    """
    pairs = [np.empty((0, 2), dtype=np.int64)]
    for start in range(0, len(thumbnails), _CHUNK):
        similar = thumbnails[start : start + _CHUNK] @ thumbnails[start:].T
        pairs.append(start + np.argwhere(np.triu(similar >= NEAR, k=1)))
    return np.concatenate(pairs)


def near_groups(thumbnails: Vectors) -> Rows:
    """The group of near-duplicates of each of thumbnails [N, 768], int64 [N]; a chain of pairs is one group.

    The number of a group is the row of one image in it, see `_group_number`.
    """
    pairs, groups = near_pairs(thumbnails), np.arange(len(thumbnails), dtype=np.int64)
    components = _components(pairs, len(thumbnails))
    component_of_pair = components[pairs[:, 0]]
    for component in np.unique(component_of_pair):
        groups[components == component] = _group_number(pairs[component_of_pair == component], len(thumbnails))
    return groups


def _group_number(pairs: Rows, count: int) -> int:
    """The number of the one group that the sorted pairs [P, 2] connect: one of its rows without an earlier duplicate.

    Folds are drawn in the order of these numbers, so they must not change. They follow from this rule: row i starts in
    group i, then each pair (i, j) in turn gives the whole group of j the number of i's group. If several rows have no
    earlier duplicate, the last row i with pairs (i, j) completes the group, and the number is that of the part to which
    this row belonged before. count: number of all rows.
    """
    while True:
        last = pairs[-1, 0]
        without_earlier = np.setdiff1d(pairs[:, 0], pairs[:, 1])
        if len(without_earlier) == 1 or without_earlier[-1] == last:
            return int(without_earlier[-1])
        earlier = pairs[pairs[:, 0] < last]
        components = _components(earlier, count)
        pairs = earlier[components[earlier[:, 0]] == components[last]]


def _components(pairs: Rows, count: int) -> NDArray[np.int32]:
    """The connected component of each of `count` rows, int32 [count], where pairs [P, 2] are connected."""
    graph = coo_array((np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    components: NDArray[np.int32] = connected_components(graph, directed=False)[1]
    return components


def nearest(queries: Vectors, references: Vectors) -> tuple[Rows, NDArray[np.float64]]:
    """For each query [N, 768] the most similar reference [M, 768], M at least 1.

    Returns indices int64 [N] and distances float64 [N], 1 - correlation, in [0, 2].
    """
    indices, distances = [np.empty(0, np.int64)], [np.empty(0, np.float64)]
    for start in range(0, len(queries), _CHUNK):
        similar = queries[start : start + _CHUNK] @ references.T
        indices.append(similar.argmax(axis=1))
        distances.append(np.clip(1.0 - similar.max(axis=1).astype(np.float64), 0.0, 2.0))
    return np.concatenate(indices), np.concatenate(distances)
