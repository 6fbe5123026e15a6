"""The contract of an executor: one outcome for each task, in the order of the tasks."""

import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from genaug.errors import GenaugError, PluginError, described

Task = TypeVar("Task")
Result = TypeVar("Result")
Report = Callable[[Any], None]
_CORE = Path(__file__).parents[1]


def silent(message: Any) -> None:
    """A Report that nobody reads."""


@dataclass(frozen=True)
class Outcome(Generic[Result]):
    """The end of one task: its result, or the error that stopped this task only."""

    result: Result | None = None
    error: GenaugError | None = None


class Executor(Protocol):
    """Runs a function for each task.

    The function must be importable by name, and it must be possible to pickle tasks, results and reported messages.
    """

    def map(
        self, function: Callable[[Task, Report], Result], tasks: Sequence[Task], report: Report
    ) -> list[Outcome[Result]]:
        """One outcome per task, in the order of the tasks.

        report: called with every message that the function reports, perhaps from another thread.
        """
        ...


def attempt(function: Callable[[Task, Report], Result], task: Task, report: Report) -> Outcome[Result]:
    """Run one task; an error becomes its outcome, so that the other tasks still run."""
    try:
        return Outcome(result=function(task, report))
    except GenaugError as error:
        return Outcome(error=error)
    except (Exception, SystemExit, GeneratorExit) as error:  # the task runs a plugin's code, which may raise anything
        return Outcome(error=PluginError(f"{described(error)} ({_place(error)})"))


@contextmanager
def plugin_code(owner: str) -> Iterator[None]:
    """Around calls of a plugin: whatever it raises becomes a PluginError with its owner, file and line."""
    try:
        yield
    except GenaugError:
        raise
    except (Exception, SystemExit, GeneratorExit) as error:  # a plugin's code may raise anything
        raise PluginError(f"{owner} fails: {described(error)} ({_place(error)})") from error


def _place(error: BaseException) -> str:
    """Module file and line where an error comes from: the last line that is not core's or torch's, if there is one.

    Most errors of a plugin are raised deep inside torch, where nobody would look for them.
    """
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        frame for frame in frames if not Path(frame.filename).is_relative_to(_CORE) and not _is_torch(frame.filename)
    ]
    place = (own or list(frames))[-1]
    return f"{_short(Path(place.filename))}:{place.lineno}"


def _short(file: Path) -> str:
    """A file relative to the folder from which Python imports it; its name alone if there is none."""
    homes = [Path(home) for home in sys.path if home and file.is_relative_to(Path(home))]
    return file.relative_to(max(homes, key=lambda home: len(home.parts))).as_posix() if homes else file.name


def _is_torch(file: str) -> bool:
    return "torch" in Path(file).parts or file.startswith("<")
