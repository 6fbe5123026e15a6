"""Startup: `genaug --help` and `genaug plugins` against importing typer and pydantic, side by side in one run."""

import statistics
import subprocess
import sys
import time

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
    print("| command | seconds (median) | ratio |\n|---|---|---|")
    for name, values in found.items():
        print(f"| `{name}` | {statistics.median(values):.2f} | {statistics.median(values) / base:.2f} |")


if __name__ == "__main__":
    main()
