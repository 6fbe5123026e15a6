"""The executor with several local processes, which end when the run that started them ends."""

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from typing import Any

from genaug.errors import TrainingError
from genaug.executors.base import Outcome, Report, Result, Task, attempt, silent

_WATCH_SECONDS = 0.2
_reports: Any = None


class Processes:
    """Runs tasks in several processes.

    They are forks of a server process, which has loaded the libraries and never any data; torch's threads could not be
    used in forks of this process. Where there are no forks (Windows), each process is started anew.

    fresh: whether each task has a process of its own, which has seen no other task.
    """

    def __init__(self, workers: int, *, fresh: bool = False) -> None:
        self._workers, self._fresh = workers, fresh
        self._kept: _Pool | None = None

    def map(
        self, function: Callable[[Task, Report], Result], tasks: Sequence[Task], report: Report
    ) -> list[Outcome[Result]]:
        """One outcome per task, in the order of the tasks; an exception in this process stops all workers at once."""
        if self._kept is not None:
            return self._kept.map(function, tasks, report)
        with _Pool(min(self._workers, max(1, len(tasks))), function.__module__, fresh=self._fresh) as pool:
            return pool.map(function, tasks, report)

    @contextmanager
    def kept(self, module: str) -> Iterator["Processes"]:
        """While this lasts, every `map` uses the same processes. module: that of the functions."""
        try:
            with _Pool(self._workers, module, fresh=self._fresh) as pool:
                self._kept = pool
                yield self
        finally:
            self._kept = None


class _Pool:
    """Processes that are running, and the thread that receives their reports."""

    def __init__(self, workers: int, module: str, *, fresh: bool) -> None:
        context = _context(module)
        self._reports, self._stop = context.Queue(), context.Event()
        self._report: Report = silent
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._pool = ProcessPoolExecutor(
            workers, context, _enter, (self._reports, self._stop), max_tasks_per_child=1 if fresh else None
        )

    def __enter__(self) -> "_Pool":
        self._listener.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._reports.put(None)
        self._listener.join()
        self._reports.close()

    def map(
        self, function: Callable[[Task, Report], Result], tasks: Sequence[Task], report: Report
    ) -> list[Outcome[Result]]:
        """One outcome per task, in the order of the tasks."""
        self._report = report
        with _script_unseen():
            futures = [self._pool.submit(_work, function, task) for task in tasks]
            return [_outcome(future.result) for future in futures]

    def _listen(self) -> None:
        while (message := self._reports.get()) is not None:
            self._report(message)


def _context(module: str) -> Any:
    """How processes start. module: what they need; the server loads it once, where it is the first to be asked."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([module])
    return context


@contextmanager
def _script_unseen() -> Iterator[None]:
    """Let processes start without importing the user's script: without a main guard, each would run it anew.

    Python finds the script by these two attributes of its module.
    """
    script = vars(sys.modules["__main__"])
    hidden: dict[str, Any] = {name: script[name] for name in ("__file__", "__spec__") if name in script}
    script.pop("__file__", None)
    script["__spec__"] = None
    try:
        yield
    finally:
        script.update(hidden)


def _outcome(result: Callable[[], Outcome[Result]]) -> Outcome[Result]:
    try:
        return result()
    except BrokenProcessPool:
        return Outcome(error=TrainingError("a worker process was killed, as when memory runs out; use --workers 1"))


def _work(function: Callable[[Task, Report], Result], task: Task) -> Outcome[Result]:
    outcome = attempt(function, task, _reports.put)
    if outcome.error is not None:  # the traceback itself is not sent to the other process
        outcome.error.add_note("".join(traceback.format_exception(outcome.error)))
    return outcome


def _enter(reports: Any, stop: Event) -> None:
    """Start a worker process: it ignores Ctrl-C, which its parent handles, and ends with its parent."""
    global _reports  # noqa: PLW0603 - set once for each worker process
    _reports = reports
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(stop,), daemon=True).start()


def _watch(stop: Event) -> None:
    parent = multiprocessing.parent_process()  # the run, not the server
    while parent is not None and parent.is_alive() and not stop.wait(_WATCH_SECONDS):
        pass
    os.kill(os.getpid(), signal.SIGKILL)
