"""Executors: they map a function over tasks, here, in local processes, or elsewhere, and nothing more."""

from genaug.executors.base import Executor, Outcome, Report
from genaug.executors.inline import Inline
from genaug.executors.processes import Processes

__all__ = ["Executor", "Inline", "Outcome", "Processes", "Report", "make_executor"]


def make_executor(workers: int) -> Executor:
    """One worker runs in this process, several in processes of their own; the results are the same bytes."""
    return Inline() if workers == 1 else Processes(workers)
