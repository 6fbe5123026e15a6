"""Which rows each step sees, as a function of (seed, step) alone."""

from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from genaug.chance import permutation

Rows = NDArray[np.int64]


class RowOrder(Protocol):
    """Which rows each step sees; nothing but the step may decide."""

    def rows(self, step: int, batch_size: int) -> Rows:
        """Indices int64 [batch_size] of one step."""
        ...


class Order:
    """An endless sequence of positions over the training rows, cut into batches.

    Plain: pass after pass over all rows, each in its own random order. Balanced: every class equally often, and inside
    each class every row equally often.
    """

    def __init__(self, labels: Rows, *, seed: int, balanced: bool) -> None:
        self._members = [np.flatnonzero(labels == label) for label in np.unique(labels)] if balanced else []
        self._count = len(labels)
        self._seed = seed
        self._shuffled = lru_cache(maxsize=256)(self._shuffle)

    def rows(self, step: int, batch_size: int) -> Rows:
        """Indices int64 [batch_size] of one step."""
        place = self._balanced if self._members else self._plain
        return np.array([place(step * batch_size + offset) for offset in range(batch_size)], dtype=np.int64)

    def _plain(self, position: int) -> int:
        cycle, place = divmod(position, self._count)
        return int(self._shuffled("rows", 0, cycle, self._count)[place])

    def _balanced(self, position: int) -> int:
        visit, place = divmod(position, len(self._members))
        kind = int(self._shuffled("classes", 0, visit, len(self._members))[place])
        members = self._members[kind]
        cycle, place = divmod(visit, len(members))
        return int(members[self._shuffled("members", kind, cycle, len(members))[place]])

    def _shuffle(self, purpose: str, kind: int, cycle: int, count: int) -> Rows:
        return permutation(count, self._seed, "order", purpose, kind, cycle).numpy()
