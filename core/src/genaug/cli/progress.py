"""Shows the reports of a run or study as progress bars."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from genaug.cli import console
from genaug.features import JudgeProgress
from genaug.fitting.draw import DrawProgress
from genaug.fitting.fit import FitProgress
from genaug.studies.scoring import ArmProgress

_ROLES = {
    "judge": "training judges",
    "detector": "telling origins apart",
    "harm check": "checking for harm",
    "recommended": "training the recommended classifier",
    "demo": "training classifiers with and without synthetic images",
}


@contextmanager
def progress_bars() -> Iterator[Callable[[Any], None]]:
    """A report function that shows how far trainings, draws and splits are, how quick, and how much time is left."""
    with console.progress() as shown:

        def report(message: Any) -> None:
            if (work := _work(message)) is not None:
                shown.show(work)

        yield report


def _work(message: Any) -> console.Work | None:
    if isinstance(message, FitProgress):
        one = message.progress
        detail = " ".join(f"{name} {loss:.3g}" for name, loss in one.losses.items())
        return console.Work("training", message.title, one.step, one.steps, detail=detail)
    if isinstance(message, DrawProgress):
        return console.Work("drawing", message.title, message.done, message.count, "images")
    if isinstance(message, JudgeProgress):
        title = f"{message.role} {message.number} of {message.count}"
        return console.Work(_ROLES[message.role], title, message.progress.step, message.progress.steps)
    if isinstance(message, ArmProgress):
        return console.Work("study", message.title, message.done, message.count, "classifiers", message.arm)
    return None
