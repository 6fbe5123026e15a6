"""The executor that runs task after task in this process."""

from collections.abc import Callable, Sequence

from genaug.executors.base import Outcome, Report, Result, Task, attempt


class Inline:
    """Runs tasks here, one after another."""

    def map(
        self, function: Callable[[Task, Report], Result], tasks: Sequence[Task], report: Report
    ) -> list[Outcome[Result]]:
        """One outcome per task, in their order."""
        return [attempt(function, task, report) for task in tasks]
