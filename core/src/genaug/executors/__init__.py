"""Executors run a function for each of several tasks, in this process or in several local processes."""

from genaug.executors.base import Executor, Outcome, Report, silent
from genaug.executors.inline import Inline
from genaug.executors.processes import Processes

__all__ = ["Executor", "Inline", "Outcome", "Processes", "Report", "make_executor", "silent"]


def make_executor(workers: int) -> Executor:
    """An executor: this process for one worker, else local processes. The results do not depend on the number."""
    return Inline() if workers == 1 else Processes(workers)
