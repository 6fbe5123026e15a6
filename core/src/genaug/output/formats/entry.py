"""One image on its way to the output."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Entry:
    """An image before it is written.

    line: its provenance line, still without the hash of its bytes. make: returns the bytes. source: the file that
    holds these bytes already; None where they are encoded here. home: the folder in which the source must lie even
    where it is a link; None where there is no such folder.
    """

    line: dict[str, Any]
    make: Callable[[], bytes]
    source: Path | None = None
    home: Path | None = None
