"""Which executor runs some tasks: this process, or several local ones."""

from collections.abc import Callable, Sequence

from genaug.executors.base import Executor, Report, Result, Task
from genaug.executors.inline import Inline
from genaug.executors.processes import Processes


def make_executor(workers: int) -> Executor:
    """An executor: this process for one worker, else local processes. The results do not depend on the number."""
    return Inline() if workers == 1 else Processes(workers)


def all_results(
    function: Callable[[Task, Report], Result],
    tasks: Sequence[Task],
    report: Report,
    *,
    workers: int,
    processes: Processes | None = None,
) -> list[Result]:
    """The results of tasks that run no plugin's code, in order. Raises the first error.

    One task or one worker needs no other process. processes: those to use instead of new ones. Results must be small or
    `None`: they are sent between processes.
    """
    if workers == 1 or len(tasks) < 2:
        return [function(task, report) for task in tasks]
    outcomes = (processes or Processes(workers)).map(function, tasks, report)
    if (error := next((one.error for one in outcomes if one.error is not None), None)) is not None:
        raise error
    return [one.result for one in outcomes]  # type: ignore[misc] # an outcome without an error has a result
