"""What an executor promises: every task gets an outcome, in the order of the tasks."""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from genaug.errors import GenaugError, PluginError

Task = TypeVar("Task")
Result = TypeVar("Result")
Report = Callable[[Any], None]


@dataclass(frozen=True)
class Outcome(Generic[Result]):
    """What became of one task: a result, or the error that ended this task alone."""

    result: Result | None = None
    error: GenaugError | None = None


class Executor(Protocol):
    """Runs a function over tasks. The function is importable by name; tasks, results and reports can be pickled."""

    def map(
        self, function: Callable[[Task, Report], Result], tasks: Sequence[Task], report: Report
    ) -> list[Outcome[Result]]:
        """One outcome per task, in their order; `report` receives what the function reports, from any thread."""
        ...


def attempt(function: Callable[[Task, Report], Result], task: Task, report: Report) -> Outcome[Result]:
    """Run one task; an error of any kind is its outcome and no one else's."""
    try:
        return Outcome(result=function(task, report))
    except GenaugError as error:
        return Outcome(error=error)
    except Exception as error:  # the code of a plugin runs in here, and may raise anything
        place = traceback.extract_tb(error.__traceback__)[-1]
        return Outcome(error=PluginError(f"{type(error).__name__}: {error} ({place.filename}:{place.lineno})"))
