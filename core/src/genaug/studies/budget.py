"""The time that a study may take, and the measured time of its rounds of splits."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from genaug.storage import read_json, write_json


class Budget:
    """A limit in seconds from now on; None for no limit.

    memory: a file that keeps the time of the longest round, for each key. key: identifies what a round does.
    """

    def __init__(self, seconds: float | None, memory: Path, key: str) -> None:
        self._limit, self._started = seconds, time.monotonic()
        self._memory, self._key = memory, key
        self._longest = _read(memory)
        self._measured, self._splits = 0.0, 0

    @property
    def limited(self) -> bool:
        """Whether there is a limit."""
        return self._limit is not None

    @property
    def longest(self) -> float:
        """Seconds of the longest round with the same key, in this study or an earlier one; 0 if none was measured."""
        return self._longest.get(self._key, 0.0)

    @contextmanager
    def round(self, splits: int) -> Iterator[None]:
        """Measure a round. splits: the number of splits that it computes; a round that computes none is not counted."""
        began = time.monotonic()
        yield
        if splits:
            seconds = time.monotonic() - began
            self._measured, self._splits = self._measured + seconds, self._splits + splits
            self._longest[self._key] = max(self.longest, seconds)
            write_json(self._memory, self._longest)

    def allows(self, *, after: float) -> bool:
        """Whether there is time for another round, as long as the longest, and for what comes after it, in rounds."""
        return self._limit is None or self.spent() + self.longest * (1 + after) <= self._limit

    def spent(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._started

    def pace(self) -> float | None:
        """Seconds per split, with the workers that there were; None if nothing was measured."""
        return self._measured / self._splits if self._splits else None


def _read(memory: Path) -> dict[str, float]:
    found = read_json(memory)
    return {key: float(value) for key, value in found.items()} if isinstance(found, dict) else {}
