"""Executors run a function for each of several tasks, in this process or in several local processes."""

from genaug.executors.base import Executor, Outcome, Report, plugin_code, silent
from genaug.executors.choice import all_results, make_executor
from genaug.executors.inline import Inline
from genaug.executors.processes import Processes

__all__ = [
    "Executor",
    "Inline",
    "Outcome",
    "Processes",
    "Report",
    "all_results",
    "make_executor",
    "plugin_code",
    "silent",
]
