"""One image on its way to the output."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Entry:
    """An image before it is written.

    line: its provenance line, still without the hash of its bytes. make: returns the bytes. source: the file that
    holds these bytes already; None where they are encoded here.
    """

    line: dict[str, Any]
    make: Callable[[], bytes]
    source: Path | None = None
