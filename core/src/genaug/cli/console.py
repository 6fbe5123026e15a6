"""What people see: sentences, tables and progress bars. The answer goes to stdout, everything else to stderr.

Rich is imported where it is used: `genaug --help` needs none of it.
"""

import json
import logging
import os
import sys
import traceback
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from genaug.errors import TRACEBACK, OutputError, UsageError, described, printable
from genaug.storage import write_nowhere

if TYPE_CHECKING:
    from rich.console import Console

    from genaug.data.folder import LoadedFolder
    from genaug.progress import Shown


KINDS = ("real", "classical", "generated")
_MOST_ROWS = 1000  # of a table with frames


def say(text: str) -> None:
    """Print a line of the answer."""
    with _answering():
        _out().print(printable(text), markup=False)


def note(text: str) -> None:
    """Print a line beside the answer, unless only the answer is wanted."""
    if not _LOUDNESS.quiet:
        _err().print(printable(text), markup=False)


def set_loudness(*, verbose: bool, quiet: bool) -> None:
    """Say more or less, as --verbose and --quiet ask; what was set before stays. Raises UsageError for both."""
    _LOUDNESS.verbose |= verbose
    _LOUDNESS.quiet |= quiet
    if _LOUDNESS.verbose and _LOUDNESS.quiet:
        raise UsageError("expected one of --verbose and --quiet, got both")
    if _LOUDNESS.verbose:
        logger = logging.getLogger("genaug")
        logger.setLevel(logging.INFO)
        logger.handlers = [_NoteHandler()]


def reset_loudness() -> None:
    """Speak as usual again."""
    _LOUDNESS.verbose = _LOUDNESS.quiet = False
    logger = logging.getLogger("genaug")
    if any(isinstance(one, _NoteHandler) for one in logger.handlers):
        logger.handlers = []
        logger.setLevel(logging.NOTSET)


@dataclass
class _Loudness:
    verbose: bool = False
    quiet: bool = False


_LOUDNESS = _Loudness()


class _NoteHandler(logging.Handler):
    """Prints what the package logs as notes."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record."""
        note(record.getMessage())


def show_notes(loaded: "LoadedFolder") -> None:
    """Print how the images were read, and every file that was left out."""
    for text in (*loaded.notes, *loaded.left_out):
        note(text)


def complain(text: str) -> None:
    """Print one sentence about what went wrong."""
    _err().print("error:", style="bold red", end=" ")
    _err().print(printable(text), markup=False)


def complain_of_fault(error: Exception) -> None:
    """Print an error that should not happen, and its traceback if --verbose is given or GENAUG_TRACEBACK is set."""
    complain(f"this is a fault of genaug or of a library, not of yours: {described(error)}")
    if not show_traceback(error):
        note(f"set {TRACEBACK}=1 and run it again for the details that a bug report needs")


def show_traceback(error: BaseException) -> bool:
    """Print the whole traceback of an error if --verbose is given or GENAUG_TRACEBACK is set; whether it is."""
    wanted = _LOUDNESS.verbose or bool(os.environ.get(TRACEBACK))
    for line in "".join(traceback.format_exception(error)).splitlines() if wanted else ():
        note(line)
    return wanted


def answer_json(values: Any) -> None:
    """Print the answer as JSON."""
    with _answering():
        _out().out(json.dumps(values, indent=2, sort_keys=True), highlight=False)


def answer_text(text: str) -> None:
    """Print the answer as it stands; characters of file names that are not UTF-8 are escaped."""
    with _answering():
        _out().out(text.encode("utf-8", "backslashreplace").decode(), highlight=False, end="")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, whole: Container[int] = ()) -> None:
    """Print a table of the answer; numbers are right-aligned, columns at the indices `whole` are never folded."""
    from rich.markup import escape
    from rich.table import Table

    lines = [list(row) for row in rows]
    if len(lines) > _MOST_ROWS:
        _long_table(title, [list(columns), *lines])
        return
    grid = Table(title=escape(title) or None, title_justify="left")
    for place, column in enumerate(columns):
        numeric = bool(lines) and all(isinstance(line[place], int | float) for line in lines)
        grid.add_column(column, justify="right" if numeric else "left", overflow="fold", no_wrap=place in whole)
    for line in lines:
        grid.add_row(*(escape(printable(str(value))) for value in line))
    with _answering():
        _out().print(grid)


def _long_table(title: str, lines: Sequence[Sequence[object]]) -> None:
    """A table without frames, the columns first; rich would take seconds to draw it."""
    from rich.cells import cell_len, set_cell_size

    texts = [[printable(str(value)) for value in line] for line in lines]
    widths = [max(map(cell_len, column)) for column in zip(*texts, strict=True)]
    shown = ("  ".join(map(set_cell_size, line, widths)).rstrip() for line in texts)
    with _answering():
        _out().out("\n".join([printable(title), *shown]), highlight=False)


def counts_table(counts: Mapping[str, Mapping[str, int]]) -> None:
    """A table of {class: {"real", "classical", "generated": images}} with their sum."""
    rows = [(name, *(n[kind] for kind in KINDS), sum(n.values())) for name, n in counts.items()]
    table("", ("class", *KINDS, "all"), rows)


@contextmanager
def progress() -> "Iterator[Shown]":
    """Progress on stderr while work goes on: bars in a terminal, else a line now and then, as for a log."""
    from genaug.progress import Lines, bars

    if _LOUDNESS.quiet or not _err().is_terminal:
        yield Lines(note)
        return
    with bars(_err()) as shown:
        yield shown


@contextmanager
def _answering() -> Iterator[None]:
    """Raise OutputError where the answer cannot be written, such as to a full disk or to a reader that has ended."""
    try:
        yield
    except OSError as error:
        write_nowhere(sys.stdout.fileno())
        raise OutputError(f"the answer could not be written to standard output: {error.strerror}") from error


@cache
def _out() -> "Console":
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)


@cache
def _err() -> "Console":
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)
