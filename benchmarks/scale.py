"""Peak memory and seconds of `genaug` where there are many files, classes, rejected images or images to draw.

    python benchmarks/scale.py [--files 20000] [--classes 20000] [--entries 200000] [--per-class 100000]

The inputs are made on the spot: colour PNGs of 16 pixels; one in ten is nearly the image before it. Each command runs
in a process of its own; its peak memory is that of the process or of its largest child. With and without `--reject` a
command runs three times, and the shortest time counts. Images are drawn for two classes of ten images each.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

START = "import sys; from genaug.cli import main; main(sys.argv[1:])"
SIDE, COARSE = 16, 5
FEW = 500
RUN = ("-g", "classical", "--no-check")


def main() -> None:
    """One row of the table for each command."""
    given = _arguments()
    print("| what | size | peak memory (MB) | seconds |\n|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        _row("`inspect`, files", given.files, "inspect", _folder(home / "files", 2, given.files // 2))
        _row("`inspect`, classes", given.classes, "inspect", _folder(home / "classes", given.classes, given.each))
        small = _folder(home / "small", 2, 10)
        rejected = home / "rejected.json"
        rejected.write_text(json.dumps({"rejected": _names(given.entries)}), "utf-8")
        run = ("run", small, *RUN, "-o", home / "out", "--per-class")
        _row("`run`, entries of `--reject`", 0, *run, 20, times=3)
        _row("`run`, entries of `--reject`", given.entries, *run, 20, "--reject", rejected, times=3)
        for count in (FEW, given.per_class):
            _row("`run`, `--per-class`", count, *run, count)


def _row(what: str, size: int, *command: object, times: int = 1) -> None:
    measured = [_measured(command) for _ in range(times)]
    memory, seconds = max(one[0] for one in measured), min(one[1] for one in measured)
    print(f"| {what} | {size:,} | {memory:.0f} | {seconds:.1f} |", flush=True)


def _measured(command: tuple[object, ...]) -> tuple[float, float]:
    """Peak memory in MB and seconds of a command that must succeed; what it writes is removed."""
    started = time.perf_counter()
    words = [sys.executable, "-c", START, *map(str, command)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if code := os.waitstatus_to_exitcode(status):
        sys.exit(f"exit code {code}: genaug {' '.join(words[3:])}")
    if "-o" in words:
        shutil.rmtree(words[words.index("-o") + 1])
    return usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10), time.perf_counter() - started


def _names(count: int) -> list[str]:
    """Images that were never drawn, of both classes, as the report page lists those to reject."""
    return [f"train/class-{number % 2:05d}/classical-{1000 + number // 2:06d}.png" for number in range(count)]


def _folder(home: Path, classes: int, each: int) -> Path:
    """A folder of class folders with `each` images."""
    chance = np.random.default_rng(0)
    pixels = _scene(chance)
    for label in range(classes):
        folder = home / f"class-{label:05d}"
        folder.mkdir(parents=True)
        for number in range(each):
            near = (label * each + number) % 10 == 9
            pixels = _again(pixels, chance) if near else _scene(chance)
            Image.fromarray(pixels).save(folder / f"{number:05d}.png", compress_level=1)
    return home


def _scene(chance: np.random.Generator) -> np.ndarray:
    """Soft blobs of colour."""
    coarse = chance.integers(0, 256, (COARSE, COARSE, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def _again(pixels: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """The same with the noise of another photograph."""
    return np.clip(pixels + chance.normal(0, 8, pixels.shape), 0, 255).astype(np.uint8)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20_000, help="files of two classes to inspect")
    parser.add_argument("--classes", type=int, default=20_000, help="classes to inspect")
    parser.add_argument("--each", type=int, default=1, help="images of each of these classes")
    parser.add_argument("--entries", type=int, default=200_000, help="entries of the list of rejected images")
    parser.add_argument("--per-class", type=int, default=100_000, help="images to draw for each of two classes")
    return parser.parse_args()


if __name__ == "__main__":
    main()
