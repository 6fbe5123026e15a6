"""Shows the reports of a run or study as progress bars."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from genaug.cli import console
from genaug.features import JudgeProgress
from genaug.fitting.draw import DrawProgress
from genaug.fitting.fit import FitProgress
from genaug.studies.scoring import ArmProgress


@contextmanager
def progress_bars() -> Iterator[Callable[[Any], None]]:
    """A report function that moves bars: losses and time left of each training, images of each draw."""
    with console.progress() as bars:

        def report(message: Any) -> None:
            if isinstance(message, FitProgress):
                detail = " ".join(f"{name} {loss:.3g}" for name, loss in message.progress.losses.items())
                bars.show(message.title, message.progress.step, message.progress.steps, detail)
            elif isinstance(message, DrawProgress):
                bars.show(message.title, message.done, message.count)
            elif isinstance(message, JudgeProgress):
                title = f"{message.role} {message.number} of {message.count}"
                bars.show(title, message.progress.step, message.progress.steps)
            elif isinstance(message, ArmProgress):
                bars.show(message.title, message.done, message.count, message.arm)

        yield report
