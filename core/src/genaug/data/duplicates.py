"""Finds duplicates: exact ones by a hash of their pixels, near-duplicates by comparing small thumbnails."""

import hashlib
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from genaug.data.resize import resize
from genaug.data.variability import SIDE, Variability, different_images, luma_weighted

# Least correlations of thumbnails; docs/duplicates.md has what they find in four real folders, and how it was measured.
_SIMILAR, _SIMILAR_LUMA = 0.95, 0.96  # images may be near-duplicates, in colour or luma-weighted
_SAME = 0.993  # they are, whatever else is in the set; re-encoded copies of images without noise are above it
_SHARE = 0.1  # in between: if they differ by less than this share of what different images of the set differ by
_FLAT = 1e-3
_CHUNK = 512

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

    Near-duplicates are the same picture, or the same thing a moment later. Their thumbnails are similar, and differ by
    much less than different images of the set do. If the set has too few different images to tell, similar is enough.
    Exact duplicates are included. Flat images have no near-duplicates, not even each other. The order of the images
    does not matter. Similarities are computed in chunks of rows; memory grows with the number of pairs found.
    """
    order = _order(thumbnails)
    vectors = thumbnails[order]
    pairs = np.sort(order[_Rule(vectors).pairs(vectors, vectors, later=True)], axis=1)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def near_matches(queries: Vectors, references: Vectors) -> Rows:
    """For each query [N, 768] its most similar near-duplicate among references [M, 768], int64 [N]; -1 if it has none.

    Queries and references together are the set whose variability decides, see `near_pairs`.
    """
    both = np.concatenate([queries, references])
    pairs = _Rule(both[_order(both)]).pairs(queries, references, later=False)
    similar = (queries[pairs[:, 0]] * references[pairs[:, 1]]).sum(axis=1)
    matches = np.full(len(queries), -1, dtype=np.int64)
    by_similarity = pairs[np.lexsort((-pairs[:, 1], similar))]
    matches[by_similarity[:, 0]] = by_similarity[:, 1]  # the last, most similar one stays
    return matches


class _Rule:
    """The rule by which two thumbnails of one set are near-duplicates. thumbnails: the set [N, 768], see `_order`."""

    def __init__(self, thumbnails: Vectors) -> None:
        self._thumbnails = thumbnails

    @cached_property
    def _variability(self) -> Variability:
        return Variability(different_images(luma_weighted(self._thumbnails), _SIMILAR))

    def pairs(self, first: Vectors, second: Vectors, *, later: bool) -> Rows:
        """Near-duplicates among first [N, 768] and second [M, 768], rows int64 [P, 2]; later: only rows i < j."""
        luma_first, luma_second = luma_weighted(first), luma_weighted(second)
        found = [np.empty((0, 2), dtype=np.int64)]
        for start in range(0, len(first), _CHUNK):
            rows, begin = slice(start, start + _CHUNK), start if later else 0
            luma = luma_first[rows] @ luma_second[begin:].T
            similar = (luma >= _SIMILAR_LUMA) | (first[rows] @ second[begin:].T >= _SIMILAR)
            pairs = np.argwhere(np.triu(similar, k=1) if later else similar)
            near = luma[pairs[:, 0], pairs[:, 1]] >= _SAME
            pairs += (start, begin)
            unsure = pairs[~near]
            near[~near] = self._near(luma_first[unsure[:, 0]], luma_second[unsure[:, 1]])
            found.append(pairs[near])
        return np.concatenate(found)

    def _near(self, first: Vectors, second: Vectors) -> NDArray[np.bool_]:
        """Whether similar images [P, 768], luma-weighted, are near-duplicates: bool [P]."""
        if not len(first) or not self._variability.is_known:
            return np.ones(len(first), dtype=bool)
        return self._variability.differences(first, second) <= _SHARE


def _order(thumbnails: Vectors) -> Rows:
    """An order of thumbnails [N, 768] that does not depend on the order in which they are given: rows int64 [N]."""
    return np.array(sorted(range(len(thumbnails)), key=lambda row: thumbnails[row].tobytes()), dtype=np.int64)


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
