"""The time that a study may take, and what a round of splits was seen to take."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from genaug.storage import read_json, write_json

_TRIAL = 0.75  # of a round: all training images, but only the arms that were chosen


class Budget:
    """Seconds from now on; None for no limit.

    memory: a file where the longest round seen so far is kept, under the key of what was done in it.
    """

    def __init__(self, seconds: float | None, memory: Path, key: str) -> None:
        self._limit, self._started = seconds, time.monotonic()
        self._memory, self._key = memory, key
        self._known = _table(memory)
        self._fresh, self._splits = 0.0, 0

    @property
    def limited(self) -> bool:
        """Whether there is a limit."""
        return self._limit is not None

    @property
    def longest(self) -> float:
        """Seconds of the longest round of the same kind, now or before; 0 where none was seen."""
        return self._known.get(self._key, 0.0)

    @contextmanager
    def round(self, splits: int) -> Iterator[None]:
        """Measure a round of so many splits; 0 of one that finds all its work done already."""
        began = time.monotonic()
        yield
        if splits:
            seconds = time.monotonic() - began
            self._fresh, self._splits = self._fresh + seconds, self._splits + splits
            self._known[self._key] = max(self.longest, seconds)
            write_json(self._memory, self._known)

    def allows(self, *, trial: bool) -> bool:
        """Whether another round, as long as the longest, ends in time, and the trial on the test split after it."""
        if self._limit is None:
            return True
        return self.spent() + self.longest * (1 + (_TRIAL if trial else 0.0)) <= self._limit

    def spent(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._started

    def pace(self) -> float | None:
        """Seconds a split, with as many at once as there were; None where nothing was measured."""
        return self._fresh / self._splits if self._splits else None


def _table(memory: Path) -> dict[str, float]:
    found = read_json(memory)
    return {key: float(value) for key, value in found.items()} if isinstance(found, dict) else {}
