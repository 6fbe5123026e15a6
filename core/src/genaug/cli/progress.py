"""Shows the reports of a run or study as progress bars."""

from collections.abc import Iterator
from contextlib import contextmanager

from genaug.cli import console
from genaug.executors import Report
from genaug.progress import reporter


@contextmanager
def progress_bars() -> Iterator[Report]:
    """A report function that shows how far trainings, draws and splits are, how quick, and how much time is left."""
    with console.progress() as shown:
        yield reporter(shown.show)
