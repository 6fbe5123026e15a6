"""One image on its way to the output."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

Line = dict[str, Any]


@dataclass(frozen=True)
class UserFile:
    """A file of the user that is written as it is.

    line: its provenance line. path: of the file. home: the folder in which it must lie even where it is a link; None
    where there is no such folder.
    """

    line: Line
    path: Path
    home: Path | None


@dataclass(frozen=True)
class Entry:
    """An image before it is written.

    file_name: its path in the output. make: returns its provenance line, still without the hash of its bytes, and its
    bytes. copied: the file that holds these bytes already; None where they are encoded here.
    """

    file_name: str
    make: Callable[[], tuple[Line, bytes]]
    copied: UserFile | None = None


class Entries(Sequence[Entry]):
    """Entries that are made when they are asked for, so that a million of them take no memory.

    count: how many there are. entry: makes entry 0, 1, ... count - 1.
    """

    def __init__(self, count: int, entry: Callable[[int], Entry]) -> None:
        self._count, self._entry = count, entry

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, row: int) -> Entry: ...

    @overload
    def __getitem__(self, row: slice) -> list[Entry]: ...

    def __getitem__(self, row: int | slice) -> Entry | list[Entry]:
        if isinstance(row, slice):
            return [self._entry(one) for one in range(*row.indices(self._count))]
        return self._entry(range(self._count)[row])
