"""One image on its way to the output."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Entry:
    """An image before it is written.

    line: its provenance, still without the hash of its bytes. make: gives those. source: the file that has them
    already, None where they are made.
    """

    line: dict[str, Any]
    make: Callable[[], bytes]
    source: Path | None = None
