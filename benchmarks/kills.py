"""Kills genaug at operations and at random instants, runs the same command again, and compares every byte.

    python benchmarks/kills.py [--kills 500] [--seed 0] [--scenario NAME ...]
    python benchmarks/kills.py --scenario NAME --at run:17[,run:9]

A scenario is a folder with images and a command. A kill by operation ends one process of the command with SIGKILL at
its n-th operation on that folder: a rename, a removal, a new folder, or the opening of a file for writing, which is
left with one wrong byte in it. Kinds of operations take turns, so that a rare one is met as often as the writing of an
image. A kill at a random instant ends all processes of the command. Every third time, the command that resumes is
killed too. Then the command runs to its end, and the whole folder has to equal that of a command that was never killed.
Times may differ; report.html has to be the page of the files beside it.

Prints a Markdown table, then every failure with what `--at` takes to repeat it: the process (run or worker) and the
number of its operation, or the instant in seconds. The exit code is 1 after a failure. Needs Linux. Commands are forked
from this process, and their workers from them, so that each run takes a second and not ten.
"""

import argparse
import contextlib
import importlib
import json
import multiprocessing
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from PIL import Image

TRAIN, TEST = {"cat": 4, "dog": 3, "owl": 3}, {"cat": 1, "dog": 1, "owl": 1}
REJECTED = ["train/cat/cvae-000001.png", "train/owl/cvae-000000.png"]
TINY = ["--preset", "small", "-s", "steps=6", "-s", "width=4", "-s", "latent=4", "-s", "checkpoint_steps=2"]
RUN = ["run", "data", "-o", "out", "--size", "16", "--workers", "1"]
QUICK = [*RUN, "--select", "none", "--no-check", "-g", "cvae", *TINY]
MIXTURE = ["-g", "cvae=0.5,oversample=0.5", *("cvae:" + word if "=" in word else word for word in TINY[2:])]
JUDGES = "judge_steps: 4\nselectors: {consistency: {level: 1.0, least: 0.3}}\n"  # refuses no class, accepts some images
SELECT = ["--select", "novelty,consistency,diversity", "--config", "quick.yaml"]
RECIPE = ["--recipe", "cap=1,weight=0.5"]
WARM = [*QUICK, "-g", "vae", "--per-class", "1", "-o", "other"]  # imports what workers need, to be forked with it
STUDY = ["study", "data", "-o", "out", "--size", "16", "--workers", "2", "-g", "cvae", *TINY, "--select", "none"]

# name -> commands before, and the command that is killed
SCENARIOS: dict[str, tuple[list[list[str]], list[str]]] = {
    "growing": ([[*QUICK, "--per-class", "6"]], [*QUICK, "--per-class", "12"]),
    "shrinking": ([[*QUICK, "--per-class", "12"]], [*QUICK, "--per-class", "3"]),
    "rejecting": ([[*QUICK, "--per-class", "4"]], [*QUICK, "--per-class", "4", "--reject", "rejected.json"]),
    "two-workers": ([WARM], [*QUICK, "-g", "vae", "--workers", "2", "--per-class", "3"]),
    "selectors": ([], [*RUN, "-g", "cvae", *TINY, "--per-class", "3", *SELECT]),
    "recipe": ([], [*RUN, *MIXTURE, "--select", "none", "--no-check", "--per-class", "4", *RECIPE]),
    "webdataset": ([], [*QUICK, "--per-class", "3", "--format", "webdataset"]),
    "sample": ([[*QUICK, "--per-class", "2"]], ["sample", "out", "-n", "5", "-o", "more"]),
    "study": ([WARM], [*STUDY, "--per-class", "2", "--folds", "2", "--repeats", "1", "--seeds", "1", "--steps", "1"]),
}

LIMIT = 120  # seconds after which a command hangs, and is killed
TIMED = {"timings.json", "report.html", "pace.json"}  # hold times, or show them
TIMES = {"study.json": "cost", "synthetic-": "seconds"}  # start of a file's name -> the key that holds times
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@dataclass(frozen=True)
class Kill:
    """Where a command is killed: at operation `number` of a process (run or worker), or `seconds` after its start."""

    process: str = ""
    number: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.process}:{self.number}" if self.process else f"{self.seconds:.3f}"


@dataclass
class Row:
    """What was found in one scenario."""

    operations: int = 0
    instants: int = 0
    resumed: int = 0
    same: int = 0
    stray: int = 0
    failures: list[str] = field(default_factory=list)

    def counts(self) -> list[int]:
        """The numbers of the table, in the order of its columns."""
        return [self.operations, self.instants, self.resumed, self.same, self.stray, len(self.failures)]


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


class Scenario:
    """The folder of one scenario before the command, the folder after it, and what happened in between."""

    def __init__(self, name: str, home: Path) -> None:
        before, self._command = SCENARIOS[name]
        self.name, self._home, self._reference = name, home / name, home / name / "reference"
        self._base, self._trial = self._home / "base", self._home / "trial"
        _write_input(self._base)
        for command in before:
            self._finish(self._base, command)
        for _ in range(2):  # the first one tells which modules it needs, and the second one how long it takes then
            shutil.rmtree(self._reference, ignore_errors=True)
            shutil.copytree(self._base, self._reference)
            self.seconds = self._finish(self._reference, self._command)
        self._wanted = _contents(self._reference)
        self.places: dict[str, list[Kill]] = defaultdict(list)
        for line in self._notes():
            process, number, label = line.split("\t")
            self.places[f"{process} {label}"].append(Kill(process, int(number)))

    def trial(self, kills: Sequence[Kill]) -> tuple[int, list[str], list[str]]:
        """Kill the command, and the one that resumes it, then compare: kills that happened, stray files, failures."""
        shutil.rmtree(self._trial, ignore_errors=True)
        shutil.copytree(self._base, self._trial)
        done = sum(self._killed(kill) for kill in kills)
        code = self._run(self._trial, self._command)
        if code != 0:
            words = (self._home / "log").read_text("utf-8", "replace").split()
            return done, [], [f"exit code {code}: {' '.join(words)[-300:]}"]
        found, wanted = _contents(self._trial), self._wanted
        stray = sorted(found.keys() - wanted.keys())
        failures = [f"stray {name}" for name in stray]
        failures += [f"missing {name}" for name in sorted(wanted.keys() - found.keys())]
        failures += [f"differs {name}" for name in sorted(wanted) if name in found and found[name] != wanted[name]]
        return done, stray, failures + _wrong_page(self._trial / "out")

    def _killed(self, kill: Kill) -> bool:
        """Whether the command was killed there; False where it ended before."""
        code = self._run(self._trial, self._command, kill)
        return "killed" in self._notes() if kill.process else code == -signal.SIGKILL

    def _notes(self) -> list[str]:
        return (self._home / "notes").read_text("utf-8").splitlines()

    def _finish(self, folder: Path, command: list[str]) -> float:
        """Run a command to its end; returns its seconds. What it imported is imported here, for the next ones."""
        started = time.monotonic()
        if self._run(folder, command):
            raise SystemExit(f"{self.name} cannot be measured:\n{(self._home / 'log').read_text('utf-8', 'replace')}")
        seconds = time.monotonic() - started
        for name in (self._home / "modules").read_text("utf-8").split():
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
        return seconds

    def _run(self, folder: Path, command: list[str], kill: Kill | None = None) -> int:
        """The exit code of the command; -9 if it was killed. All of its processes have ended."""
        with (self._home / "log").open("wb") as log, (self._home / "notes").open("wb") as notes:
            child = os.fork()
            if not child:
                _become(command, folder, log.fileno(), Watch(folder, notes.fileno(), kill))
        limit = kill.seconds if kill is not None and not kill.process else LIMIT
        code = _waited(child, limit)
        while _alive(child):  # workers end by themselves when they see that their parent is gone
            time.sleep(0.01)
        return code


def main() -> None:
    """Kill, resume, compare, and print the table."""
    given = _arguments()
    os.environ.update({"OMP_NUM_THREADS": "1", "NO_ALBUMENTATIONS_UPDATE": "1", "HF_HUB_OFFLINE": "1"})
    rows: dict[str, Row] = {}
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        for place, name in enumerate(given.scenario):
            scenario = Scenario(name, Path(folder).resolve())
            chance = random.Random(f"{given.seed} {name}")
            share = given.kills // len(given.scenario) + (place < given.kills % len(given.scenario))
            rows[name] = _repeated(scenario, given.at) if given.at else _measured(scenario, share, chance)
            _note(f"{name}: a run takes {scenario.seconds:.1f} s and has {len(scenario.places)} kinds of operations")
    _print_table(rows)
    sys.exit(any(row.failures for row in rows.values()))


def _measured(scenario: Scenario, kills: int, chance: random.Random) -> Row:
    """Half of the kills by operation, half at random instants."""
    row, operations = Row(), _operations(scenario, chance)
    while row.operations < (kills + 1) // 2:
        number = 2 if row.resumed % 3 == 2 else 1
        row.operations += _add(row, scenario, [next(operations) for _ in range(number)])
    while row.instants < kills // 2:
        number = 2 if row.resumed % 3 == 2 else 1
        row.instants += _add(
            row, scenario, [Kill(seconds=chance.uniform(0.01, scenario.seconds)) for _ in range(number)]
        )
    return row


def _repeated(scenario: Scenario, kills: list[Kill]) -> Row:
    row = Row()
    done = _add(row, scenario, kills)
    row.operations, row.instants = (done, 0) if kills[0].process else (0, done)
    return row


def _add(row: Row, scenario: Scenario, kills: list[Kill]) -> int:
    """One trial; returns the number of kills that happened. One without a kill does not count."""
    done, stray, failures = scenario.trial(kills)
    if done:
        row.resumed += 1
        row.same += not failures
        row.stray += len(stray)
    if failures:
        words = "; ".join(failures[:5])
        at = ",".join(map(str, kills))
        row.failures.append(f"`--scenario {scenario.name} --at {at}`{_labels(scenario, kills)}: {words}")
        _note(row.failures[-1])
    return done


def _labels(scenario: Scenario, kills: list[Kill]) -> str:
    found = [label for kill in kills for label, places in scenario.places.items() if kill in places]
    return f" ({', then '.join(found)})" if found else ""


def _operations(scenario: Scenario, chance: random.Random) -> Iterator[Kill]:
    """Operations without end: kinds take turns, each time with another one of the kind."""
    kinds = list(scenario.places.values())
    while True:
        chance.shuffle(kinds)
        yield from (chance.choice(kind) for kind in kinds)


def _become(command: list[str], folder: Path, log: int, watch: Watch) -> NoReturn:
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


def _waited(child: int, limit: float) -> int:
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


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _write_input(folder: Path) -> None:
    """Random images of 16 pixels in three classes, a list of rejected images, and settings that train in a moment."""
    chance = np.random.default_rng(0)
    for split, counts in (("train", TRAIN), ("test", TEST)):
        for name, count in counts.items():
            home = folder / "data" / split / name
            home.mkdir(parents=True)
            for number in range(count):
                Image.fromarray(chance.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(home / f"{number}.png")
    (folder / "rejected.json").write_text(json.dumps({"rejected": REJECTED}), "utf-8")
    (folder / "quick.yaml").write_text(JUDGES, "utf-8")


def _contents(folder: Path) -> dict[str, Any]:
    """Every file below a folder with its bytes, without times; folders, too, with None."""
    paths = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*"))}
    return {name: _without_times(path) for name, path in paths.items() if path.name not in TIMED}


def _without_times(path: Path) -> Any:
    if path.is_dir():
        return None
    for start, key in TIMES.items():
        if path.name.startswith(start) and path.suffix == ".json":
            values = json.loads(path.read_text("utf-8"))
            values.pop(key)
            return values
    return path.read_bytes()


def _wrong_page(out: Path) -> list[str]:
    """Whether the page of an output is not the one of its files."""
    from genaug.report.page import render
    from genaug.report.reading import read_output

    page = out / "report.html"
    return [] if page.read_text("utf-8") == render(read_output(out)) else ["report.html is of other files"]


def _print_table(rows: dict[str, Row]) -> None:
    columns = [
        "kills by operation",
        "at random instants",
        "runs resumed",
        "to the same bytes",
        "stray files",
        "failures",
    ]
    counts = {name: row.counts() for name, row in rows.items()}
    counts["all"] = [sum(column) for column in zip(*counts.values(), strict=True)]
    print(f"| scenario | {' | '.join(columns)} |\n{'|---' * (len(columns) + 1)}|")
    for name, values in counts.items():
        print(f"| {name} | {' | '.join(map(str, values))} |")
    print(*(f"\n- {failure}" for row in rows.values() for failure in row.failures))


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _kills(text: str) -> list[Kill]:
    parts = [part.partition(":") for part in text.split(",")]
    return [Kill(process, int(number)) if colon else Kill(seconds=float(process)) for process, colon, number in parts]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=500, help="kills in all, shared by the scenarios")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scenario", nargs="+", choices=SCENARIOS, default=list(SCENARIOS), metavar="NAME")
    parser.add_argument("--at", type=_kills, help="one trial: run:17, or run:17,worker:3, or seconds")
    return parser.parse_args()


if __name__ == "__main__":
    main()
