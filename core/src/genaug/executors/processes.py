"""The executor with several local processes, which end when the run that started them ends."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.synchronize import Event
from typing import Any

from genaug.errors import TrainingError
from genaug.executors.base import Outcome, Report, Result, Task, attempt

_WATCH_SECONDS = 0.2
_reports: Any = None


class Processes:
    """Runs tasks in several processes. They are spawned, since after a fork torch's threads cannot be used."""

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def map(
        self, function: Callable[[Task, Report], Result], tasks: Sequence[Task], report: Report
    ) -> list[Outcome[Result]]:
        """One outcome per task, in the order of the tasks; an exception in this process stops all workers at once."""
        context = multiprocessing.get_context("spawn")
        reports, stop = context.Queue(), context.Event()
        listener = threading.Thread(target=_listen, args=(reports, report), daemon=True)
        listener.start()
        workers = min(self._workers, max(1, len(tasks)))
        pool = ProcessPoolExecutor(workers, context, _enter, (os.getpid(), reports, stop))
        try:
            futures = [pool.submit(_work, function, task) for task in tasks]
            return [_outcome(future.result) for future in futures]
        except BaseException:
            stop.set()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            reports.put(None)
            listener.join()
            reports.close()


def _outcome(result: Callable[[], Outcome[Result]]) -> Outcome[Result]:
    try:
        return result()
    except BrokenProcessPool:
        return Outcome(error=TrainingError("a worker process was killed, as when memory runs out; use --workers 1"))


def _work(function: Callable[[Task, Report], Result], task: Task) -> Outcome[Result]:
    return attempt(function, task, _reports.put)


def _enter(parent: int, reports: Any, stop: Event) -> None:
    """Start a worker process: it ignores Ctrl-C, which its parent handles, and ends with its parent."""
    global _reports  # noqa: PLW0603 - set once for each worker process
    _reports = reports
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(parent, stop), daemon=True).start()


def _watch(parent: int, stop: Event) -> None:
    while os.getppid() == parent and not stop.wait(_WATCH_SECONDS):
        pass
    os.kill(os.getpid(), signal.SIGKILL)


def _listen(reports: Any, report: Report) -> None:
    while (message := reports.get()) is not None:
        report(message)
