"""Images per second of genaug beside the loop that a practitioner writes, and beside other libraries, in one run.

    python benchmarks/peers.py [--peers PYTHON] [--rounds 5] [--cases dcgan,vae] [--out benchmarks/RESULTS.md]

Each side of a case runs in a process of its own, in turns, so that a slow moment of the machine hits all sides. A ratio
is that of the medians; its spread is that of the rounds. PYTHON is an interpreter that has pythae and
denoising-diffusion-pytorch beside torch and diffusers (`make bench` installs one); without it, cases that need it are
left out. Both sides train the same networks on the same images with the same batch size.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from results import write_part

ROOT = Path(__file__).parents[1]
SIDES = Path(__file__).with_name("peers_sides.py")
OURS = "genaug"
OTHERS = {"plain": "plain loop", "pythae": "pythae's trainer", "denoising_diffusion": "denoising-diffusion-pytorch"}
ELSEWHERE = ("pythae", "denoising_diffusion")  # sides that need the environment of the peers
PACKAGES = {"torch", "torchvision", "diffusers", "pythae", "denoising-diffusion-pytorch"}
VERSIONS = (
    "from importlib.metadata import distributions; "
    f"print(*sorted(f'{{d.name}} {{d.version}}' for d in distributions() if d.name in {PACKAGES!r}), sep=', ')"
)
BF16 = "from genaug.training import resolve_precision; print(resolve_precision('auto', 'cpu') == 'bf16')"
HEADER = (
    "| what | other side | genaug, images/s | other, images/s | ratio | last loss, both |",
    "|---|---|---|---|---|---|",
)
Figures = dict[str, float]


class Case(NamedTuple):
    """What is compared, the sides beside ours, and the steps of a round."""

    what: str
    others: tuple[str, ...]
    steps: int


CASES = {
    "dcgan": Case("one `dcgan`, networks of the paper, 64 px", ("plain",), 15),
    "dcgan-ten": Case("ten `dcgan`, one for each class, as `run` trains them, 64 px", ("plain",), 3),
    "vae": Case("one `vae`, networks of the paper, 64 px", ("plain", "pythae"), 25),
    "ddpm": Case("one `ddpm`, 28.4 M parameters, 64 px", ("plain", "denoising_diffusion"), 6),
    "sampling": Case("drawing 16 images of 32 px: our sampler beside 1000 steps of diffusers' loop", ("plain",), 1),
    "scan": Case("reading 300 files: `load_folder`, which also checks them, beside `ImageFolder`", ("plain",), 1),
}


def main() -> None:
    """Measure all cases in turns; print the table, and write it where that is requested."""
    given = _arguments()
    lines = ["## Beside other loops and libraries", "", _machine(given.peers), "", *HEADER]
    for name in given.cases.split(","):
        lines += _rows(name, given.rounds, given.peers)
        write_part(given.out, "peers", "\n".join(lines))  # after each case, so that an interruption loses one alone


def _rows(name: str, rounds: int, peers: Path | None) -> list[str]:
    what, others, steps = CASES[name]
    sides = [OURS, *(side for side in others if peers or side not in ELSEWHERE)]
    found: dict[str, list[Figures]] = {side: [] for side in sides}
    for _ in range(rounds):
        for side in sides:
            found[side].append(_measured(name, side, steps, peers))
    return [row(what, OTHERS[side], found[OURS], found[side]) for side in sides[1:]]


def row(what: str, other: str, ours: list[Figures], theirs: list[Figures]) -> str:
    """A line of the table; the rounds of both sides are pairs."""
    each = [one["images_per_second"] / two["images_per_second"] for one, two in zip(ours, theirs, strict=True)]
    speeds = [statistics.median(one["images_per_second"] for one in rounds) for rounds in (ours, theirs)]
    ratio = f"**{speeds[0] / speeds[1]:.2f}** ({min(each):.2f} to {max(each):.2f})"
    losses = [rounds[0].get("loss") for rounds in (ours, theirs)]
    both = " / ".join("-" if loss is None else f"{loss:.3g}" for loss in losses)
    return f"| {what} | {other} | {speeds[0]:.1f} | {speeds[1]:.1f} | {ratio} | {both} |"


def _measured(name: str, side: str, steps: int, peers: Path | None) -> Figures:
    python = str(peers) if side in ELSEWHERE else sys.executable
    sources = [ROOT / "core" / "src", *sorted(ROOT.glob("plugins/*/src"))]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, sources)), "NO_ALBUMENTATIONS_UPDATE": "1"}
    command = [python, str(SIDES), name, side, str(steps)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise SystemExit(f"{name}, {side}: {done.stderr}")
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def _machine(peers: Path | None) -> str:
    def answer(python: Path | str, script: str) -> str:
        return subprocess.run([str(python), "-c", script], capture_output=True, text=True, check=False).stdout.strip()

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    machine = f"{platform.machine()}, {cores} cores, bf16 instructions: {answer(sys.executable, BF16)}"
    return f"{machine}; Python {platform.python_version()}, {answer(peers or sys.executable, VERSIONS)}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, help="Python interpreter that has the other libraries")
    parser.add_argument("--rounds", type=int, default=5, help="how often each side runs")
    parser.add_argument("--cases", default=",".join(CASES), help="names, separated by commas")
    parser.add_argument("--out", type=Path, help="Markdown file whose part `peers` is replaced")
    return parser.parse_args()


if __name__ == "__main__":
    main()
