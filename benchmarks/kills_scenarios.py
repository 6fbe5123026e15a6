"""Scenarios of kills.py: a folder with images, commands, and what the folder has to hold in the end."""

import contextlib
import importlib
import json
import os
import shutil
import signal
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from kills_processes import Kill, Watch, alive, become, waited
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


class Scenario:
    """The folder of one scenario before the command, the folder after it, and what happened in between."""

    def __init__(self, name: str, home: Path) -> None:
        before, self._command = SCENARIOS[name]
        self.name, self._home, self._reference = name, home / name, home / name / "reference"
        self._base, self._trial = self._home / "base", self._home / "trial"
        write_input(self._base)
        for command in before:
            self._finish(self._base, command)
        for _ in range(2):  # the first one tells which modules it needs, and the second one how long it takes then
            shutil.rmtree(self._reference, ignore_errors=True)
            shutil.copytree(self._base, self._reference)
            self.seconds = self._finish(self._reference, self._command)
        self._wanted = contents(self._reference)
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
        found, wanted = contents(self._trial), self._wanted
        stray = sorted(found.keys() - wanted.keys())
        failures = [f"stray {name}" for name in stray]
        failures += [f"missing {name}" for name in sorted(wanted.keys() - found.keys())]
        failures += [f"differs {name}" for name in sorted(wanted) if name in found and found[name] != wanted[name]]
        return done, stray, failures + wrong_page(self._trial / "out")

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
                become(command, folder, log.fileno(), Watch(folder, notes.fileno(), kill))
        limit = kill.seconds if kill is not None and not kill.process else LIMIT
        code = waited(child, limit)
        while alive(child):  # workers end by themselves when they see that their parent is gone
            time.sleep(0.01)
        return code


def write_input(folder: Path) -> None:
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


def contents(folder: Path) -> dict[str, Any]:
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


def wrong_page(out: Path) -> list[str]:
    """Whether the page of an output is not the one of its files."""
    from genaug.report.page import render
    from genaug.report.reading import read_output

    page = out / "report.html"
    return [] if page.read_text("utf-8") == render(read_output(out)) else ["report.html is of other files"]
