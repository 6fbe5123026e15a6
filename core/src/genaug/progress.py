"""How far work is, for a person: bars in a terminal or a notebook, else a line now and then; or for a function."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from genaug.errors import printable
from genaug.executors import Report, silent
from genaug.features import JudgeProgress
from genaug.fitting.draw import DrawProgress
from genaug.fitting.fit import FitProgress
from genaug.studies.scoring import ArmProgress

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

_EVERY = 30.0  # seconds between lines of progress
_LOG = logging.getLogger("genaug")
_ROLES = {
    "judge": "training judges",
    "detector": "telling origins apart",
    "harm check": "checking for harm",
    "recommended": "training the recommended classifier",
    "demo": "training classifiers with and without synthetic images",
}


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


class Shown(Protocol):
    """Shows how far pieces of work are."""

    def show(self, work: Work) -> None:
        """Show one of them."""


@contextmanager
def bars(console: "Console") -> Iterator[Bars]:
    """One bar for each piece of work that is not finished."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}", markup=False),
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as shown:
        yield Bars(shown)


def reporter(show: Callable[[Work], object]) -> Report:
    """A report function that shows the work of which a message says how far it is."""

    def report(message: Any) -> None:
        if (work := work_of(message)) is not None:
            show(work)

    return report


@contextmanager
def shown_as(progress: bool | Callable[[Work], object]) -> Iterator[Report]:
    """A report function for `progress=` of the Python interface.

    True: bars on stderr in a terminal or a notebook, else lines in the log `genaug`, which go to stderr if nobody
    listens to it. False: nothing. A function is called with every piece of work.
    """
    if progress is False:
        yield silent
    elif callable(progress):
        yield reporter(progress)
    else:
        from rich.console import Console

        console = Console(stderr=True)
        if console.is_terminal or console.is_jupyter:
            with bars(console) as shown:
                yield reporter(shown.show)
        else:
            with _logged():
                yield reporter(Lines(_LOG.info).show)


def work_of(message: Any) -> Work | None:
    """The piece of work that a message of a run or study is about; None where it is about none."""
    if isinstance(message, FitProgress):
        one = message.progress
        detail = " ".join(f"{name} {loss:.3g}" for name, loss in one.losses.items())
        return Work("training", message.title, one.step, one.steps, detail=detail)
    if isinstance(message, DrawProgress):
        return Work("drawing", message.title, message.done, message.count, "images")
    if isinstance(message, JudgeProgress):
        title = f"{message.role} {message.number} of {message.count}"
        return Work(_ROLES[message.role], title, message.progress.step, message.progress.steps)
    if isinstance(message, ArmProgress):
        return Work("study", message.title, message.done, message.count, "classifiers", message.arm)
    return None


@contextmanager
def _logged() -> Iterator[None]:
    """The log is written to stderr while this lasts, unless the user's program has decided what happens with it."""
    if _LOG.hasHandlers():
        yield
        return
    handler, level = logging.StreamHandler(sys.stderr), _LOG.level
    _LOG.addHandler(handler)
    _LOG.setLevel(logging.INFO)
    try:
        yield
    finally:
        _LOG.removeHandler(handler)
        _LOG.setLevel(level)
