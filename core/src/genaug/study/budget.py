"""The time that a study may take, and what a round of splits was seen to take."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

_TRIAL = 0.75  # of a round: all training images, but only the arms that were chosen


class Budget:
    """Seconds from now on; None for no limit."""

    def __init__(self, seconds: float | None) -> None:
        self._limit, self._started = seconds, time.monotonic()
        self._rounds: list[float] = []
        self._splits = 0

    @property
    def limited(self) -> bool:
        """Whether there is a limit."""
        return self._limit is not None

    @contextmanager
    def round(self, splits: int, *, counts: bool) -> Iterator[None]:
        """Measure a round of so many splits; one that finds all its work done already does not count."""
        began = time.monotonic()
        yield
        if counts:
            self._rounds.append(time.monotonic() - began)
            self._splits += splits

    def allows(self, *, trial: bool) -> bool:
        """Whether another round, the longest seen so far, ends in time, and the trial on the test split after it."""
        if self._limit is None:
            return True
        longest = max(self._rounds, default=0.0)
        return self.spent() + longest * (1 + (_TRIAL if trial else 0.0)) <= self._limit

    def spent(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._started

    def pace(self) -> float | None:
        """Seconds a split, with as many at once as there were; None where nothing was measured."""
        return sum(self._rounds) / self._splits if self._splits else None
