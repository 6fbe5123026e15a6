"""What the pipeline reports, as bars."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from genaug.cli import console
from genaug.features import JudgeProgress
from genaug.fitting.draw import DrawProgress
from genaug.fitting.fit import FitProgress
from genaug.study.scoring import ArmProgress


@contextmanager
def watching() -> Iterator[Callable[[Any], None]]:
    """A `report` that moves bars: loss and time left for each fit, images for each draw."""
    with console.progress() as bars:

        def report(message: Any) -> None:
            if isinstance(message, FitProgress):
                news = " ".join(f"{name} {loss:.3g}" for name, loss in message.progress.losses.items())
                bars.show(message.title, message.progress.step, message.progress.steps, news)
            elif isinstance(message, DrawProgress):
                bars.show(message.title, message.done, message.count)
            elif isinstance(message, JudgeProgress):
                title = f"judge {message.number} of {message.count}"
                bars.show(title, message.progress.step, message.progress.steps)
            elif isinstance(message, ArmProgress):
                bars.show(message.title, message.done, message.count, message.arm)

        yield report
