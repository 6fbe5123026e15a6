"""The command line in tests: settings that train in a moment, and the command as a process of its own."""

import multiprocessing
import multiprocessing.process
import os
import subprocess
import sys
from typing import NamedTuple

from genaug.cli import main

QUICK = (
    *("--preset", "small"),
    *("-s", "steps=6", "-s", "width=4", "-s", "latent=4", "-s", "checkpoint_steps=2"),
    "--no-check",
    *("--select", "none"),
)


class Answer(NamedTuple):
    """Exit code, stdout and stderr of a command."""

    code: int
    out: str
    err: str


def command(*arguments: object) -> list[str]:
    """The words that start `genaug` with these arguments in its own process; it can be interrupted."""
    interruptible = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)"
    start = f"{interruptible}; from genaug.cli import main; main(sys.argv[1:])"
    return [sys.executable, "-c", start, *map(str, arguments)]


def finished(*arguments: object) -> subprocess.CompletedProcess[str]:
    """`genaug` run to its end in its own process."""
    return subprocess.run(command(*arguments), capture_output=True, text=True, check=False)


def forked(*arguments: object) -> multiprocessing.process.BaseProcess:
    """`genaug` begun in its own process, without a word: a fork of a server that has loaded torch, to save its time."""
    process = multiprocessing.get_context("forkserver").Process(target=_quietly, args=([*map(str, arguments)],))
    process.start()
    return process


def _quietly(arguments: list[str]) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    main(arguments)
