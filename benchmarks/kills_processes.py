"""Processes of kills.py: forks of it that become genaug, and are killed at one of their operations on files."""

import contextlib
import importlib
import multiprocessing
import os
import re
import signal
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@dataclass(frozen=True)
class Kill:
    """Where a command is killed: at operation `number` of a process (run or worker), or `seconds` after its start."""

    process: str = ""
    number: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.process}:{self.number}" if self.process else f"{self.seconds:.3f}"


class Watch:
    """Counts the operations of a process below a folder, notes them, and kills the process at one of them.

    It is an audit hook, so Python calls it before each operation. notes: an open file for one line per operation.
    """

    def __init__(self, folder: Path, notes: int, kill: Kill | None) -> None:
        self._folder, self._notes, self._kill = f"{folder}/", notes, kill
        self._first, self._process, self._count = os.getpid(), os.getpid(), 0

    def __call__(self, event: str, values: tuple[Any, ...]) -> None:
        """Called for every event of the interpreter."""
        label = self._label(event, values)
        if label is None or self._count < 0:
            return
        if self._process != os.getpid():
            self._process, self._count = os.getpid(), 0
        self._count += 1
        process = "run" if self._process == self._first else "worker"
        os.write(self._notes, f"{process}\t{self._count}\t{label}\n".encode())
        if self._kill is not None and (process, self._count) == (self._kill.process, self._kill.number):
            self._count = -1
            os.write(self._notes, b"killed\n")
            self._end(event, values)

    def _end(self, event: str, values: tuple[Any, ...]) -> NoReturn:
        if event == "open" and values[2] & os.O_TRUNC:
            with Path(values[0]).open("wb") as torn:
                torn.write(b"!")
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    def _label(self, event: str, values: tuple[Any, ...]) -> str | None:
        """The operation with its paths below the folder, digits left out; None for anything else."""
        match event, values:
            case "open", (str() | bytes() | os.PathLike(), _, int(flags)) if flags & WRITES:
                paths = [self._below(values[0], -1)]
            case "os.rename", (source, target, *_):
                paths = [self._below(source, -1), self._below(target, -1)]
            case ("os.remove" | "os.rmdir", (path, place)) | ("os.mkdir", (path, _, place)):
                paths = [self._below(path, place)]
            case _:
                return None
        return None if None in paths else f"{event.removeprefix('os.')} {' to '.join(map(str, paths))}"

    def _below(self, path: Any, place: int) -> str | None:
        folder = os.getcwd() if place == -1 else os.readlink(f"/proc/self/fd/{place}")  # noqa: PTH109, PTH115
        whole = os.path.normpath(os.path.join(folder, os.fsdecode(path)))  # noqa: PTH118
        if not f"{whole}/".startswith(self._folder):
            return None
        return re.sub(r"[0-9a-f]{12,}|\d+", "#", whole.removeprefix(self._folder))


def become(command: list[str], folder: Path, log: int, watch: Watch) -> NoReturn:
    """Turn this forked process into `genaug` with a command, in a folder, in a process group of its own."""
    code = 1
    try:
        os.setsid()
        os.chdir(folder)
        os.dup2(log, 1)
        os.dup2(log, 2)
        _fork_workers()
        sys.addaudithook(watch)
        importlib.import_module("genaug.cli").main(command)
    except SystemExit as stop:
        code = int(stop.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        (folder.parent / "modules").write_text("\n".join(sys.modules), "utf-8")
        os._exit(code)


def _fork_workers() -> None:
    """Let genaug fork its workers from this process, which has all libraries and watches for the operation to die at.

    A pool of forks cannot give each task a process of its own, so here they do not get one.
    """
    processes = importlib.import_module("genaug.executors.processes")
    context = multiprocessing.get_context("fork")
    vars(processes)["_context"] = lambda _: context
    vars(processes)["ProcessPoolExecutor"] = lambda *arguments, **_: ProcessPoolExecutor(*arguments)


def waited(child: int, limit: float) -> int:
    """The exit code of a child; after `limit` seconds, its whole group is killed."""
    end = time.monotonic() + limit
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > end:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        time.sleep(0.002)


def alive(group: int) -> bool:
    """Whether a process of a group still runs."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
