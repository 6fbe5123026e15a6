"""The executor that runs one task after another in this process."""

from collections.abc import Callable, Sequence

from genaug.executors.base import Outcome, Report, Result, Task, attempt


class Inline:
    """Runs one task after another in this process."""

    def map(
        self, function: Callable[[Task, Report], Result], tasks: Sequence[Task], report: Report
    ) -> list[Outcome[Result]]:
        """One outcome per task, in the order of the tasks."""
        return [attempt(function, task, report) for task in tasks]
