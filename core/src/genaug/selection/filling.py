"""Fills one class from one generator: how many candidates to draw next, which to keep, when to give up."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from genaug.data.stems import Stems
from genaug.fitting import CHUNK
from genaug.images import to_float
from genaug.selection.by_hand import BY_HAND, REASON
from genaug.selection.panel import Panel, Ruling
from genaug.selector import Candidates

Pixels = NDArray[np.uint8]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Kept:
    """A candidate that has its place: number `index` of its generator and class, pixels uint8 [H, W, C].

    parents: training rows that it leans on. stem: the one that it is judged to stem from. nearest: the training row
    whose thumbnail is most alike, and how far that is. scores: by selector.
    """

    index: int
    pixels: Pixels
    parents: tuple[int, ...]
    stem: int
    nearest: int
    distance: float
    scores: dict[str, float]


@dataclass(frozen=True)
class Rejected:
    """A candidate that has none, and why."""

    candidate: Kept
    selector: str
    reason: str


class Filling:
    """One class of one generator. Ask `next_count`, give it candidates with `add`, until it wants no more.

    Candidates are judged in their order, a fixed number at a time, so that what is kept of the first n does not depend
    on how many are drawn or wanted (but for selectors that choose). marked: numbers of candidates that a person has
    rejected.
    """

    def __init__(
        self,
        panel: Panel | None,
        stems: Stems,
        label: int,
        wanted: int,
        overdraw: float,
        marked: frozenset[int] = frozenset(),
    ) -> None:
        self._panel, self._stems, self.label, self.wanted = panel, stems, label, wanted
        self._marked = marked
        self._limit = _whole_chunks(max(CHUNK, math.ceil(wanted * overdraw))) if panel else wanted + len(marked)
        self._passed: list[Kept] = []
        self._drawn = 0
        self.rejected: list[Rejected] = []

    @property
    def drawn(self) -> int:
        """Candidates seen so far."""
        return self._drawn

    def next_count(self) -> int:
        """How many candidates should be drawn in all; as many as were drawn when no more are wanted."""
        goal = self._goal()
        if len(self._passed) >= goal or self._drawn >= self._limit:
            return self._drawn
        if self._panel is None:
            return min(self._limit, self._drawn + goal - len(self._passed))
        if not self._drawn:
            return min(self._limit, _whole_chunks(goal))
        rate = max(len(self._passed), 1) / self._drawn
        return min(self._limit, _whole_chunks(self._drawn + math.ceil((goal - len(self._passed)) / rate)))

    def add(self, images: Pixels, parents: Rows) -> None:
        """Candidates [drawn, drawn + n): images uint8 [N, H, W, C], parents int64 [N, k], -1 for none."""
        for start in range(0, len(images), CHUNK):
            if len(self._passed) < self._goal():
                self._judge(images[start : start + CHUNK], parents[start : start + CHUNK])

    def finish(self) -> list[Kept]:
        """At most `wanted` candidates, in the order of their numbers; asks those selectors that choose, once."""
        if self._panel is not None and self._passed:
            rulings = self._panel.choose(self._candidates(self._passed), self.wanted)
            self._passed = self._sorted(self._passed, rulings)
        return self._passed[: self.wanted]

    def _goal(self) -> int:
        return self.wanted if self._panel is None else math.ceil(self.wanted * self._panel.spare)

    def _judge(self, images: Pixels, parents: Rows) -> None:
        fresh = self._without_marked(self._described(images, parents))
        self._drawn += len(images)
        if self._panel is None:
            self._passed += fresh
            return
        if not fresh:
            return
        known = [one.pixels for one in self._passed]
        accepted = to_float(np.stack(known)) if known else to_float(images[:0])
        rulings = self._panel.judge(self._candidates(fresh), accepted, self._goal() - len(self._passed))
        self._passed += self._sorted(fresh, rulings)

    def _without_marked(self, candidates: Sequence[Kept]) -> list[Kept]:
        self.rejected += [Rejected(one, BY_HAND, REASON) for one in candidates if one.index in self._marked]
        return [one for one in candidates if one.index not in self._marked]

    def _sorted(self, candidates: Sequence[Kept], rulings: Sequence[Ruling]) -> list[Kept]:
        """Those that stay; the others join the rejected ones."""
        stay = []
        for candidate, ruling in zip(candidates, rulings, strict=True):
            told = replace(candidate, scores=candidate.scores | ruling.scores)
            if ruling.rejected_by:
                self.rejected.append(Rejected(told, ruling.rejected_by, ruling.reason))
            else:
                stay.append(told)
        return stay

    def _described(self, images: Pixels, parents: Rows) -> list[Kept]:
        stems, nearest, distances = self._stems.find(images, parents)
        return [
            Kept(
                index=self._drawn + place,
                pixels=pixels,
                parents=tuple(int(row) for row in parents[place] if row >= 0),
                stem=int(stems[place]),
                nearest=int(nearest[place]),
                distance=float(distances[place]),
                scores={},
            )
            for place, pixels in enumerate(images)
        ]

    def _candidates(self, candidates: Sequence[Kept]) -> Candidates:
        width = max((len(one.parents) for one in candidates), default=0)
        parents = [[*one.parents, *[-1] * (width - len(one.parents))] for one in candidates]
        return Candidates(
            images=to_float(np.stack([one.pixels for one in candidates])),
            label=self.label,
            parents=torch.tensor(parents, dtype=torch.int64).reshape(len(candidates), width),
            stems=torch.tensor([one.stem for one in candidates], dtype=torch.int64),
        )


def _whole_chunks(count: int) -> int:
    return CHUNK * math.ceil(count / CHUNK)
