"""Many candidates in little memory: numbers in columns, pixels where they were drawn to."""

from array import array
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar, cast, overload

import numpy as np
from numpy.typing import NDArray

from genaug.mixing.candidate import Candidate, ImageSource, Kind

Value = TypeVar("Value", bound=Hashable)
_NONE = -1
_EMPTY: Mapping[str, float] = {}
_NUMBERS = ("_index", "_source", "_nearest", "_copied", "_distance", "_weight")
_OBJECTS = ("_parents", "_scores", "_rejections")


class _Origin(NamedTuple):
    """What all candidates of one generator and class share."""

    images: ImageSource
    label: int
    generator: str
    model: str
    kind: Kind
    tops_up: bool


class CandidateTable(Sequence[Candidate]):
    """A sequence of candidates that takes 64 bytes for each; its Candidate objects live while they are looked at.

    Its pixels are read again from where they were drawn to, one chunk at a time.
    """

    def __init__(self, candidates: Iterable[Candidate] = ()) -> None:
        self._origins: dict[tuple[object, ...], int] = {}
        self._shared: list[_Origin] = []
        self._origin, self._index = array("i"), array("q")
        self._source, self._nearest, self._copied = array("i"), array("i"), array("i")
        self._distance, self._weight = array("d"), array("d")
        self._parents: list[tuple[int, ...]] = []
        self._scores: list[Mapping[str, float]] = []
        self._rejections: list[tuple[str, str]] = []
        self._equal: dict[object, object] = {}  # one object for many equal ones
        for one in candidates:
            self.append(one)

    def append(self, one: Candidate) -> None:
        """Add a candidate at the end."""
        self._origin.append(
            self._number(_Origin(one.images, one.label, one.generator, one.model, one.kind, one.tops_up))
        )
        self._index.append(one.index)
        self._source.append(one.source)
        self._nearest.append(one.nearest)
        self._copied.append(_NONE if one.copied is None else one.copied)
        self._distance.append(one.distance)
        self._weight.append(one.weight)
        self._parents.append(self._one(one.parents))
        self._scores.append(one.scores or _EMPTY)
        self._rejections.append(self._one((one.rejected_by, one.reason)))

    def extend(self, others: "CandidateTable") -> None:
        """Add the candidates of another table at the end."""
        numbers = [self._number(shared) for shared in others._shared]
        self._origin.extend(numbers[number] for number in others._origin)
        for name in (*_NUMBERS, *_OBJECTS):
            getattr(self, name).extend(getattr(others, name))

    def take(self, rows: NDArray[np.int64], weights: NDArray[np.float64] | None = None) -> "CandidateTable":
        """A table of some rows in this order. weights: their weights in the loss; unchanged if left out."""
        table = CandidateTable()
        table._origins, table._shared, table._equal = dict(self._origins), list(self._shared), self._equal
        for name in ("_origin", *_NUMBERS):
            column = getattr(self, name)
            getattr(table, name).frombytes(np.array(column, dtype=column.typecode)[rows].tobytes())
        for name in _OBJECTS:
            column = getattr(self, name)
            getattr(table, name).extend(column[row] for row in rows)
        if weights is not None:
            table._weight = array("d", weights)
        return table

    def __len__(self) -> int:
        return len(self._index)

    @overload
    def __getitem__(self, row: int) -> Candidate: ...

    @overload
    def __getitem__(self, row: slice) -> "CandidateTable": ...

    def __getitem__(self, row: int | slice) -> "Candidate | CandidateTable":
        if isinstance(row, slice):
            return self.take(np.arange(*row.indices(len(self))))
        shared, copied = self._shared[self._origin[row]], self._copied[row]
        rejected_by, reason = self._rejections[row]
        return Candidate(
            images=shared.images,
            label=shared.label,
            generator=shared.generator,
            index=self._index[row],
            model=shared.model,
            parents=self._parents[row],
            source=self._source[row],
            nearest=self._nearest[row],
            distance=self._distance[row],
            scores=dict(self._scores[row]),
            rejected_by=rejected_by,
            reason=reason,
            copied=None if copied == _NONE else copied,
            weight=self._weight[row],
            kind=shared.kind,
            tops_up=shared.tops_up,
        )

    @property
    def labels(self) -> NDArray[np.int64]:
        """The class of each candidate, int64 [N]."""
        return self._of_origins([shared.label for shared in self._shared]).astype(np.int64)

    @property
    def tops_up(self) -> NDArray[np.bool_]:
        """Whether each candidate tops up the real side, bool [N]."""
        return self._of_origins([shared.tops_up for shared in self._shared]).astype(bool)

    @property
    def generated(self) -> NDArray[np.bool_]:
        """Whether the kind of each candidate is generated and not classical, bool [N]."""
        return self._of_origins([shared.kind == "generated" for shared in self._shared]).astype(bool)

    @property
    def sources(self) -> NDArray[np.int64]:
        """The training row that each candidate most likely comes from, int64 [N]."""
        return np.array(self._source, dtype=np.int64)

    @property
    def indices(self) -> NDArray[np.int64]:
        """The number of each candidate among those of its generator and class, int64 [N]."""
        return np.array(self._index, dtype=np.int64)

    @property
    def scores(self) -> Sequence[Mapping[str, float]]:
        """The scores of each candidate, by selector."""
        return self._scores

    def numbers(self) -> dict[tuple[int, str], NDArray[np.int64]]:
        """The indices of the candidates of each (label, generator), int64 [n]."""
        found: dict[tuple[int, str], list[NDArray[np.int64]]] = {}
        origins, indices = np.array(self._origin, dtype=np.int64), self.indices
        for number, shared in enumerate(self._shared):
            found.setdefault((shared.label, shared.generator), []).append(indices[origins == number])
        return {key: np.concatenate(parts) for key, parts in found.items()}

    def _of_origins(self, values: Sequence[object]) -> NDArray[np.generic]:
        return np.array(values)[np.array(self._origin, dtype=np.int64)] if len(self) else np.empty(0)

    def _number(self, origin: _Origin) -> int:
        key = (id(origin.images), *origin[1:])
        if key not in self._origins:
            self._origins[key] = len(self._shared)
            self._shared.append(origin)
        return self._origins[key]

    def _one(self, value: Value) -> Value:
        """The first of all equal values, so that equal ones take no memory."""
        return cast("Value", self._equal.setdefault(value, value))
