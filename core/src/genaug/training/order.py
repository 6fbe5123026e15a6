"""Which training rows each step sees: a function of the seed and the step, so a resumed training sees the same."""

from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from genaug.chance import permutation

Rows = NDArray[np.int64]


class RowOrder(Protocol):
    """Chooses the rows of each step. The choice may depend on the step only, or a resumed training would differ."""

    def rows(self, step: int, batch_size: int) -> Rows:
        """Indices into the training split for one step, int64 [batch_size]."""
        ...


class Order:
    """An endless sequence of training rows, cut into batches.

    Plain: one pass over all rows after another, each in a new random order. Balanced: every class equally often, and
    within each class every row equally often.
    """

    def __init__(self, labels: Rows, *, seed: int, balanced: bool) -> None:
        self._rows_by_class = [np.flatnonzero(labels == label) for label in np.unique(labels)] if balanced else []
        self._count = len(labels)
        self._seed = seed
        self._shuffled = lru_cache(maxsize=256)(self._shuffle)

    def rows(self, step: int, batch_size: int) -> Rows:
        """Indices into the training split for one step, int64 [batch_size]."""
        place = self._balanced if self._rows_by_class else self._plain
        return np.array([place(step * batch_size + offset) for offset in range(batch_size)], dtype=np.int64)

    def _plain(self, position: int) -> int:
        cycle, place = divmod(position, self._count)
        return int(self._shuffled("rows", 0, cycle, self._count)[place])

    def _balanced(self, position: int) -> int:
        visit, place = divmod(position, len(self._rows_by_class))
        kind = int(self._shuffled("classes", 0, visit, len(self._rows_by_class))[place])
        rows = self._rows_by_class[kind]
        cycle, place = divmod(visit, len(rows))
        return int(rows[self._shuffled("members", kind, cycle, len(rows))[place]])

    def _shuffle(self, purpose: str, kind: int, cycle: int, count: int) -> Rows:
        """A random order of range(count), int64 [count]; the other arguments are part of the seed."""
        return permutation(count, self._seed, "order", purpose, kind, cycle).numpy()
