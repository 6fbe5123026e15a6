"""Startup: `genaug --help` and `genaug plugins` against importing typer and pydantic, side by side in one run.

python benchmarks/startup.py [RESULTS.md]
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

from results import write_part

REPEATS = 7
START = "import sys; from genaug.cli import main; main(sys.argv[1:])"
COMMANDS = {
    "import typer, pydantic": ["-c", "import typer, pydantic"],
    "genaug --help": ["-c", START, "--help"],
    "genaug plugins": ["-c", START, "plugins"],
    "import torch": ["-c", "import torch"],
}


def seconds(arguments: list[str]) -> float:
    """One run of the interpreter, wall clock."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    """Take turns, so that a slow moment of the machine hits all alike; print medians and ratios."""
    found: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(REPEATS):
        for name, arguments in COMMANDS.items():
            found[name].append(seconds(arguments))
    base = statistics.median(found["import typer, pydantic"])
    lines = ["## Start-up", "", "| command | seconds (median) | ratio |", "|---|---|---|"]
    for name, values in found.items():
        lines.append(f"| `{name}` | {statistics.median(values):.2f} | {statistics.median(values) / base:.2f} |")
    write_part(Path(sys.argv[1]) if sys.argv[1:] else None, "startup", "\n".join(lines))


if __name__ == "__main__":
    main()
