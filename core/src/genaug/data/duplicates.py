"""Finds duplicates: exact ones by a hash of their pixels, near-duplicates by comparing small thumbnails."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from genaug.data.resize import resize
from genaug.data.variability import CHANNELS, SIDE, Variability, different_images, luma_weighted

THUMBNAIL = SIDE * SIDE * CHANNELS  # numbers in a thumbnail

# Least correlations of thumbnails; docs/duplicates.md has what they find in four real folders, and how it was measured.
_SIMILAR, _SIMILAR_LUMA = 0.95, 0.96  # images may be near-duplicates, in colour or luma-weighted
_SAME = 0.993  # they are, whatever else is in the set; re-encoded copies of images without noise are above it
_SHARE = 0.1  # in between: if they differ by less than this share of what different images of the set differ by
_FLAT = 1e-3
_ROWS, _COLUMNS = 2048, 512  # pairs of images are compared in blocks of so many; a block takes some 10 MB
_PAIRS = 512
_ROUNDING = 1e-3  # far more than rounding changes a correlation of coarse thumbnails

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
    does not matter. Memory beyond the thumbnails grows with the number of pairs found alone.
    """
    ordered = _Ordered(thumbnails, _order(thumbnails))
    pairs = np.sort(ordered.rows[_Rule(ordered).pairs(ordered, ordered, later=True)], axis=1)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def near_matches(queries: Vectors, references: Vectors) -> Rows:
    """For each query [N, 768] its most similar near-duplicate among references [M, 768], int64 [N]; -1 if it has none.

    Queries and references together are the set whose variability decides, see `near_pairs`.
    """
    both = np.concatenate([queries, references])
    first, second = (_Ordered(vectors, np.arange(len(vectors))) for vectors in (queries, references))
    pairs = _Rule(_Ordered(both, _order(both))).pairs(first, second, later=False)
    similar = (queries[pairs[:, 0]] * references[pairs[:, 1]]).sum(axis=1)
    matches = np.full(len(queries), -1, dtype=np.int64)
    by_similarity = pairs[np.lexsort((-pairs[:, 1], similar))]
    matches[by_similarity[:, 0]] = by_similarity[:, 1]  # the last, most similar one stays
    return matches


@dataclass(frozen=True)
class _Ordered:
    """Thumbnails [N, 768] in the order of rows int64 [N]; only the wanted ones are copied."""

    thumbnails: Vectors
    rows: Rows

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, places: Rows | slice) -> Vectors:
        return self.thumbnails[self.rows[places]]

    def parts(self, start: int, stop: int) -> Iterator[Vectors]:
        """A few thumbnails at a time, those from start to stop."""
        for begin in range(start, stop, _COLUMNS):
            yield self.take(slice(begin, min(begin + _COLUMNS, stop)))


class _Rule:
    """The rule by which two thumbnails of one set are near-duplicates. ordered: the set, see `_order`."""

    def __init__(self, ordered: _Ordered) -> None:
        self._ordered = ordered

    @cached_property
    def _variability(self) -> Variability:
        parts = self._ordered.parts(0, len(self._ordered))
        weighted = chain.from_iterable(map(luma_weighted, parts))
        return Variability(different_images(weighted, _SIMILAR))

    def pairs(self, first: _Ordered, second: _Ordered, *, later: bool) -> Rows:
        """Near-duplicates among first [N] and second [M], places int64 [P, 2]; later: only places i < j."""
        found = [np.empty((0, 2), dtype=np.int64)]
        for start in range(0, len(first), _ROWS):
            rows = _Coarse(first, start, _ROWS)
            for begin in range(start if later else 0, len(second), _COLUMNS):
                possible = rows.may_be_similar(_Coarse(second, begin, _COLUMNS))
                if later and begin < start + _ROWS:
                    possible = np.triu(possible, k=start - begin + 1)
                if possible.any():
                    places = np.argwhere(possible) + np.array([start, begin])
                    found.append(self._near(first, second, places))
        return np.concatenate(found)

    def _near(self, first: _Ordered, second: _Ordered, pairs: Rows) -> Rows:
        """Those of pairs [P, 2] that are near-duplicates."""
        (rows, row), (columns, column) = (np.unique(pairs[:, side], return_inverse=True) for side in (0, 1))
        one, two = first.take(rows), second.take(columns)
        luma_one, luma_two = luma_weighted(one), luma_weighted(two)
        luma = (luma_one @ luma_two.T)[row, column]
        similar = (luma >= _SIMILAR_LUMA) | ((one @ two.T)[row, column] >= _SIMILAR)
        near = similar & (luma >= _SAME)
        unsure = np.flatnonzero(similar & ~near)
        for start in range(0, len(unsure), _PAIRS):
            part = unsure[start : start + _PAIRS]
            near[part] = self._differ_little(luma_one[row[part]], luma_two[column[part]])
        return pairs[near]

    def _differ_little(self, first: Vectors, second: Vectors) -> NDArray[np.bool_]:
        """Whether similar images [P, 768], luma-weighted, are near-duplicates: bool [P]."""
        if not self._variability.is_known:
            return np.ones(len(first), dtype=bool)
        return self._variability.differences(first, second) <= _SHARE


class _Coarse:
    """Thumbnails as they are and luma-weighted, by the means of 2x2 pixels: a quarter of the numbers to compare.

    Each vector [193] ends with the length of what the means leave out. So the product of two is at least the
    correlation of their thumbnails (Cauchy and Schwarz).
    """

    def __init__(self, ordered: _Ordered, start: int, count: int) -> None:
        stop = min(start + count, len(ordered))
        plain, luma = zip(*(_both_coarse(part) for part in ordered.parts(start, stop)), strict=True)
        self._plain, self._luma = np.concatenate(plain), np.concatenate(luma)

    def may_be_similar(self, other: "_Coarse") -> NDArray[np.bool_]:
        """Whether each of these may be similar to each of the others; false only if it is not."""
        may_be: NDArray[np.bool_] = self._luma @ other._luma.T >= _SIMILAR_LUMA - _ROUNDING
        may_be |= self._plain @ other._plain.T >= _SIMILAR - _ROUNDING
        return may_be


def _both_coarse(thumbnails: Vectors) -> tuple[Vectors, Vectors]:
    return _coarse(thumbnails), _coarse(luma_weighted(thumbnails))


def _coarse(thumbnails: Vectors) -> Vectors:
    pixels = thumbnails.reshape(-1, SIDE, SIDE, CHANNELS)
    pairs = pixels[:, ::2] + pixels[:, 1::2]
    means = ((pairs[:, :, ::2] + pairs[:, :, 1::2]) / 2).reshape(len(thumbnails), -1)
    left = (thumbnails**2).sum(axis=1) - (means**2).sum(axis=1)
    return np.concatenate([means, np.sqrt(np.maximum(left, 0))[:, None]], axis=1)


def _order(thumbnails: Vectors) -> Rows:
    """An order of thumbnails [N, 768] that does not depend on the order in which they are given: rows int64 [N]."""
    as_bytes = np.ascontiguousarray(thumbnails).view(f"S{thumbnails.itemsize * thumbnails.shape[1]}")
    return as_bytes.ravel().argsort(kind="stable")


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
    from scipy.sparse import coo_array  # not above: it takes 35 MB, and `genaug inspect` needs no groups
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    components: NDArray[np.int32] = connected_components(graph, directed=False)[1]
    return components
