"""Fills one class from one generator: how many candidates to draw next, which to accept, when to give up."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from genaug.data.attribution import Attribution
from genaug.fitting import CHUNK
from genaug.mixing.candidate import Candidate, ImageSource, Kind
from genaug.mixing.candidate_table import CandidateTable
from genaug.selection.manual_rejections import REASON, SELECTOR
from genaug.selection.selector_chain import SelectorChain

Pixels = NDArray[np.uint8]
Rows = NDArray[np.int64]


class ClassFiller:
    """One class of one generator. Ask `next_count`, pass the drawn images to `add`, until no more are needed.

    Candidates are judged in the order of their numbers, a fixed number at a time. So which of the first n are accepted
    does not depend on how many are drawn or requested, except for selectors that choose among all of them.
    excluded: numbers of candidates that a person has rejected. refused: whether no candidate of this class would be
    accepted, so that none is drawn. drawn: from which the pixels of candidates are read again; if left out, they are
    kept in memory.
    """

    def __init__(
        self,
        selectors: SelectorChain | None,
        attribution: Attribution,
        *,
        generator: str,
        kind: Kind = "generated",
        tops_up: bool = False,
        label: int,
        wanted: int,
        overdraw: float = 1.0,
        excluded: frozenset[int] = frozenset(),
        refused: bool = False,
        drawn: ImageSource | None = None,
    ) -> None:
        self._selectors, self._attribution, self._excluded = selectors, attribution, excluded
        self._generator, self._kind, self._tops_up = generator, kind, tops_up
        self.label, self.wanted = label, wanted
        most = _whole_chunks(max(CHUNK, math.ceil(wanted * overdraw)))
        self._limit = 0 if refused else most if selectors else wanted + len(excluded)
        self._images: dict[int, Pixels] | ImageSource = {} if drawn is None else drawn
        self._passed = CandidateTable()
        self._before: list[Pixels] = []  # what selectors have accepted
        self._drawn = 0
        self.rejected = CandidateTable()

    @property
    def drawn(self) -> int:
        """Candidates judged so far."""
        return self._drawn

    def next_count(self) -> int:
        """How many candidates should be drawn in all; equal to `drawn` when no more are needed."""
        goal = self._goal()
        if len(self._passed) >= goal or self._drawn >= self._limit:
            return self._drawn
        if self._selectors is None:
            return min(self._limit, self._drawn + goal - len(self._passed))
        if not self._drawn:
            return min(self._limit, _whole_chunks(goal))
        rate = max(len(self._passed), 1) / self._drawn
        return min(self._limit, _whole_chunks(self._drawn + math.ceil((goal - len(self._passed)) / rate)))

    def add(self, images: Pixels, parents: Rows, model: str) -> None:
        """Judge candidates [drawn, drawn + n): images uint8 [N, H, W, C], parents int64 [N, k], -1 for none.

        model: SHA-256 of the weights that drew them.
        """
        for start in range(0, len(images), CHUNK):
            if len(self._passed) < self._goal():
                self._judge(images[start : start + CHUNK], parents[start : start + CHUNK], model)

    def finish(self) -> CandidateTable:
        """At most `wanted` candidates in the order of their numbers; selectors that choose are applied here, once."""
        if self._selectors is not None and self._passed:
            self._passed = CandidateTable(self._accepted(self._selectors.choose(self._passed, self.wanted)))
        return self._passed if len(self._passed) <= self.wanted else self._passed[: self.wanted]

    def _goal(self) -> int:
        return self.wanted if self._selectors is None else math.ceil(self.wanted * self._selectors.spare)

    def _judge(self, images: Pixels, parents: Rows, model: str) -> None:
        fresh = self._accepted(self._candidates(images, parents, model))
        self._drawn += len(images)
        if self._selectors is not None and fresh:
            fresh = self._accepted(self._selectors.judge(fresh, self._before, self._goal() - len(self._passed)))
            self._before += [one.pixels for one in fresh]
        for one in fresh:
            self._passed.append(one)

    def _accepted(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """The accepted ones; the others join the rejected candidates."""
        for one in candidates:
            if one.rejected_by:
                self.rejected.append(one)
        return [one for one in candidates if not one.rejected_by]

    def _candidates(self, images: Pixels, parents: Rows, model: str) -> list[Candidate]:
        """The next candidates; those that a person has rejected are marked as rejected."""
        sources, nearest, distances = self._attribution.find(images, parents)
        if isinstance(self._images, dict):
            self._images |= dict(enumerate(images, start=self._drawn))
        candidates = [
            Candidate(
                images=self._images,
                label=self.label,
                generator=self._generator,
                index=self._drawn + place,
                model=model,
                parents=tuple(int(row) for row in parents[place] if row >= 0),
                source=int(sources[place]),
                nearest=int(nearest[place]),
                distance=float(distances[place]),
                kind=self._kind,
                tops_up=self._tops_up,
            )
            for place in range(len(images))
        ]
        return [one.rejected(SELECTOR, REASON) if one.index in self._excluded else one for one in candidates]


def _whole_chunks(count: int) -> int:
    return CHUNK * math.ceil(count / CHUNK)
