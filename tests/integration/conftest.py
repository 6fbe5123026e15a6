"""Real folders, real commands, and a way to install an outside plugin for the length of a test."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from genaug.cli import main
from PIL import Image

COUNTS = {"cat": 6, "dog": 4, "owl": 3}
QUICK = (
    "--preset",
    "small",
    "-s",
    "steps=6",
    "-s",
    "width=4",
    "-s",
    "latent=4",
    "-s",
    "checkpoint_steps=2",
    "--select",
    "none",
)


def fill(folder: Path, counts: dict[str, int], seed: int = 0, side: int = 20) -> Path:
    """Random colour PNGs, so many in each class folder."""
    chance = np.random.default_rng(seed)
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            pixels = chance.integers(0, 256, (side, side, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """Three classes of six, four and three images, no splits."""
    return fill(tmp_path / "data", COUNTS)


@pytest.fixture
def splits(tmp_path: Path) -> Path:
    """The same as a training split, with a test split of two each."""
    fill(tmp_path / "data/test", dict.fromkeys(COUNTS, 2), seed=1)
    fill(tmp_path / "data/train", COUNTS)
    return tmp_path / "data"


class Answer(NamedTuple):
    """Exit code, stdout and stderr of a command."""

    code: int
    out: str
    err: str


@pytest.fixture
def genaug(capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Run a command in this process: exit code, stdout, stderr."""

    def call(*arguments: object) -> Answer:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        shown = capsys.readouterr()
        return Answer(int(stop.value.code or 0), shown.out, shown.err)

    return call


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Install a distribution of one module, as pip would leave it, on this process's path and on its workers'."""

    def put(name: str, source: str) -> None:
        site, module = tmp_path / "site", name.replace("-", "_")
        facts = site / f"{module}-1.0.dist-info"
        facts.mkdir(parents=True)
        (site / f"{module}.py").write_text(source, "utf-8")
        (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", "utf-8")
        (facts / "entry_points.txt").write_text(f"[genaug]\n{name} = {module}\n", "utf-8")
        monkeypatch.syspath_prepend(str(site))
        monkeypatch.setenv("PYTHONPATH", str(site), prepend=os.pathsep)
        monkeypatch.delitem(sys.modules, module, raising=False)

    return put


def command(*arguments: object) -> list[str]:
    """The command line as its own process."""
    listen = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)"  # background jobs ignore it
    start = f"{listen}; from genaug.cli import main; main(sys.argv[1:])"
    return [sys.executable, "-c", start, *map(str, arguments)]


def finished(*arguments: object) -> subprocess.CompletedProcess[str]:
    """A finished process of the command line."""
    return subprocess.run(command(*arguments), capture_output=True, text=True, check=False)


def contents(out: Path) -> dict[str, bytes]:
    """Every file of a data set by name, timings, the page that tells them and genaug's own folder aside."""
    files = [path for path in sorted(out.rglob("*")) if path.is_file()]
    told = ("timings.json", "report.html")
    named = {path.relative_to(out).as_posix(): path.read_bytes() for path in files}
    return {name: data for name, data in named.items() if name not in told and not name.startswith(".genaug/")}
