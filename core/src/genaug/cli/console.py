"""What people see: sentences, tables and progress bars. The answer goes to stdout, everything else to stderr.

Rich is imported where it is used: `genaug --help` needs none of it.
"""

import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from genaug.errors import TRACEBACK, OutputError, UsageError, described, printable
from genaug.storage import write_nowhere

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

    from genaug.data.folder import LoadedFolder


KINDS = ("real", "classical", "generated")
_MOST_ROWS = 1000  # of a table with frames
_EVERY = 30.0  # seconds between lines of progress


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
def progress() -> "Iterator[Bars | Lines]":
    """Progress on stderr while work goes on: bars in a terminal, else a line now and then, as for a log."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    if _LOUDNESS.quiet or not _err().is_terminal:
        yield Lines(note)
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}", markup=False),
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}", markup=False),
    )
    with Progress(*columns, console=_err(), transient=True) as bars:
        yield Bars(bars)


@dataclass(frozen=True)
class Work:
    """How far a piece of work is: `done` of `total`, counted in `unit`. stage: its kind. detail: what else to show."""

    stage: str
    title: str
    done: int
    total: int
    unit: str = "steps"
    detail: str = ""


class Bars:
    """One bar per piece of work, from its first report until it is finished."""

    def __init__(self, progress: "Progress") -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def show(self, work: Work) -> None:
        """Move the bar of a piece of work."""
        if work.title not in self._tasks:
            shown = printable(work.title)[:40]
            self._tasks[work.title] = self._progress.add_task(shown, total=work.total, detail="", rate="")
        task = self._tasks[work.title]
        speed = self._progress.tasks[task].speed
        self._progress.update(
            task,
            completed=work.done,
            rate="" if speed is None else f"{speed:.3g} {work.unit}/s",
            detail=work.detail,
            visible=work.done < work.total,
        )


class Lines:
    """A line when a stage begins, and one every 30 seconds while it goes on.

    write: prints a line. clock: seconds.
    """

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write, self._clock = write, clock
        self._stage, self._reported = "", 0.0
        self._begun: dict[str, tuple[float, int]] = {}  # of each piece of work: when, and what was done before

    def show(self, work: Work) -> None:
        """Say how far a piece of work is, if it is time to."""
        now = self._clock()
        name = work.title if work.title.startswith(work.stage) else f"{work.stage}: {work.title}"
        begun, before = self._begun.setdefault(work.title, (now, work.done))
        if work.stage != self._stage:
            self._stage, self._reported = work.stage, now
            self._write(f"{name}, {work.total:,} {work.unit}")
        elif now - self._reported >= _EVERY:
            self._reported = now
            rate = (work.done - before) / max(now - begun, 1e-9)
            left = f", {rate:.3g} a second, about {_duration((work.total - work.done) / rate)} left" if rate else ""
            self._write(f"{name}, {work.done:,} of {work.total:,} {work.unit}{left}")


def _duration(seconds: float) -> str:
    """A time in the unit that fits: 40 s, 3 min, 2.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


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
