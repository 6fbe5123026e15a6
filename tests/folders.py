"""Folders of random images, and what is in a folder."""

from pathlib import Path

import numpy as np
from PIL import Image

COUNTS = {"cat": 6, "dog": 4, "owl": 3}
TIMED = ("timings.json", "report.html")


def fill(folder: Path, counts: dict[str, int], seed: int = 0, side: int = 20) -> Path:
    """Write `counts` random colour PNGs of `side` x `side` pixels into each class folder."""
    chance = np.random.default_rng(seed)
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            pixels = chance.integers(0, 256, (side, side, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


def fill_alike(folder: Path, counts: dict[str, int]) -> Path:
    """The same with copies of one image: they share a fold, so judges are one classifier instead of three."""
    fill(folder, counts, side=16)
    first, *others = sorted(folder.rglob("*.png"))
    for path in others:
        path.write_bytes(first.read_bytes())
    return folder


def contents(out: Path) -> dict[str, bytes]:
    """Every file of an output by name, without the two that hold times and without genaug's own folder."""
    files = [path for path in sorted(out.rglob("*")) if path.is_file()]
    named = {path.relative_to(out).as_posix(): path.read_bytes() for path in files}
    return {name: data for name, data in named.items() if name not in TIMED and not name.startswith(".genaug/")}
