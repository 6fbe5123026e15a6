"""The contract of an executor: one outcome for each task, in the order of the tasks."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from genaug.errors import GenaugError, PluginError, located

Task = TypeVar("Task")
Result = TypeVar("Result")
Report = Callable[[Any], None]


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
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # the task runs a plugin's code, which may raise anything
        fault = PluginError(located(error))
        fault.__cause__ = error
        return Outcome(error=fault)


@contextmanager
def plugin_code(owner: str) -> Iterator[None]:
    """Around calls of a plugin: whatever it raises becomes a PluginError with its owner, file and line.

    owner: whose code it is, such as "the metric 'kid'". Only errors of genaug and Ctrl-C pass unchanged.
    """
    try:
        yield
    except (GenaugError, KeyboardInterrupt):
        raise
    except BaseException as error:  # a plugin's code may raise anything, SystemExit too
        raise PluginError(f"{owner} fails: {located(error)}") from error
