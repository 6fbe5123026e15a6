"""Changes one operator, number or condition of core at a time, and counts how many of these mutants the tests notice.

    pip install cosmic-ray
    python benchmarks/mutants.py [--mutants 300] [--seed 0] [--jobs 2] [--room targets]

Mutants are drawn with a fixed seed from all that cosmic-ray can make of the rooms below, so many from each as it has
lines of code. Left out are those of annotations, which fail at once. A mutant runs the tests of its room, the quick
ones first, until one fails; one that takes longer than --limit seconds counts as noticed. Each mutant that no test
notices is printed as a line of the source before and after.
"""

import argparse
import ast
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from importlib import import_module
from pathlib import Path

import pytest
from cosmic_ray.ast import ast_nodes, get_ast_from_path
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

ROOT = Path(__file__).resolve().parent.parent
CORE = ROOT / "core/src/genaug"
UNIT, WHOLE = "tests/core/test_", "tests/integration/test_"
ROOMS = {  # room: its modules, and the tests that look at it, the quick ones first
    "targets": (["targets/*.py"], [f"{UNIT}targets.py", f"{UNIT}mixing.py", f"{WHOLE}even_mix.py"]),
    "selection": (
        ["selection/*.py"],
        [f"{UNIT}selection.py", f"{UNIT}selectors.py", f"{WHOLE}selection.py", f"{WHOLE}audit.py"],
    ),
    "statistics": (
        ["significance.py", "studies/statistics.py", "studies/scores.py", "studies/outcome.py"],
        [f"{UNIT}intervals.py", f"{UNIT}studies.py"],
    ),
    "checkpoints": (
        ["training/checkpoint.py", "training/state.py"],
        [f"{UNIT}training.py", f"{UNIT}fitting.py", f"{WHOLE}nothing_wrong_reused.py"],
    ),
    "publish": (["output/folder.py"], [f"{UNIT}folder.py", f"{WHOLE}nothing_lost.py", f"{WHOLE}output.py"]),
}
# Loaded once, before the first mutant: each mutant is a fork of this process.
_LIBRARIES = ("torch", "torchvision", "scipy.stats", "sklearn.metrics", "pydantic", "pluggy", "typer", "rich", "yaml")
_PASSED = 0


@dataclass(frozen=True)
class Mutant:
    """One change: the occurrence-th that an operator of cosmic-ray can make in a module."""

    room: str
    module: Path
    operator: str
    occurrence: int
    line: int

    def source(self) -> str:
        """The whole module with this change."""
        return mutate_code(self.module.read_text("utf-8"), get_operator(self.operator)(), self.occurrence)

    def difference(self) -> str:
        """The changed lines, before and after."""
        lines = unified_diff(self.module.read_text("utf-8").splitlines(), self.source().splitlines(), n=0, lineterm="")
        changed = [line for line in lines if line[0] in "+-" and line[:3] not in {"+++", "---"}]
        return "\n".join([f"{self.module.relative_to(CORE)}:{self.line} {self.operator}", *changed])


def main() -> None:
    """Print a table of the rooms, and every mutant that no test noticed."""
    arguments = _arguments()
    for name in _LIBRARIES:
        import_module(name)
    rooms = [arguments.room] if arguments.room else list(ROOMS)
    drawn = _drawn({room: list(_mutants(room)) for room in rooms}, arguments.mutants, arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        slots = [_copy(Path(folder) / str(number)) for number in range(arguments.jobs)]
        for room in rooms:
            if (code := _wait(_start(slots[0], room))) != _PASSED:
                sys.exit(f"the tests of {room} do not pass without a mutant (exit code {code})")
        noticed, all_of = Counter[str](), Counter(mutant.room for mutant in drawn)
        for mutant, code in _outcomes(drawn, slots, arguments.limit):
            noticed[mutant.room] += code != _PASSED
            if code == _PASSED:
                print(mutant.difference(), flush=True)
    print("| room | mutants | noticed |\n|---|---|---|")
    for room in rooms:
        print(f"| {room} | {all_of[room]} | {noticed[room]} ({noticed[room] / max(all_of[room], 1):.0%}) |")
    print(f"| all | {len(drawn)} | {noticed.total()} ({noticed.total() / max(len(drawn), 1):.0%}) |")


def _mutants(room: str) -> Iterator[Mutant]:
    for module in sorted(path for pattern in ROOMS[room][0] for path in CORE.glob(pattern)):
        tree = get_ast_from_path(module)
        skipped = _annotations(module)
        for name in operator_names():
            operator = get_operator(name)
            if operator.arguments():
                continue
            places = (place for node in ast_nodes(tree) for place in operator().mutation_positions(node))
            for occurrence, (start, _) in enumerate(places):
                if not any(first <= start < last for first, last in skipped):
                    yield Mutant(room, module, name, occurrence, start[0])


def _annotations(module: Path) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Where annotations begin and end, as (line, column)."""
    found: list[ast.expr | None] = []
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef):
            found.append(node.returns)
        if isinstance(node, ast.arg | ast.AnnAssign):
            found.append(node.annotation)
    whole = [one for one in found if one is not None]
    return [((one.lineno, one.col_offset), (one.end_lineno or 0, one.end_col_offset or 0)) for one in whole]


def _drawn(mutants: dict[str, list[Mutant]], count: int, seed: int) -> list[Mutant]:
    """So many of each room as it has lines; where a line has many mutants, one line is as likely as another."""
    chance, drawn = random.Random(seed), []
    lines = {room: {(one.module, one.line) for one in found} for room, found in mutants.items()}
    total = sum(map(len, lines.values()))
    for room, found in mutants.items():
        by_line = {place: [one for one in found if (one.module, one.line) == place] for place in sorted(lines[room])}
        for options in by_line.values():
            chance.shuffle(options)
        order = sorted(by_line.values(), key=lambda _: chance.random())
        layers = [options[depth] for depth in range(len(found)) for options in order if depth < len(options)]
        drawn += layers[: round(count * len(lines[room]) / total)]
    return drawn


def _copy(folder: Path) -> Path:
    shutil.copytree(CORE, folder / "genaug", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def _start(slot: Path, room: str) -> int:
    """Fork a process that runs the tests of a room with the code in a slot; its process number."""
    process = os.fork()
    if process:
        return process
    os.setsid()
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    os.chdir(ROOT)
    sys.path[:0] = [str(slot), str(ROOT)]
    os.environ["PYTHONPATH"] = os.pathsep.join([str(slot), os.environ.get("PYTHONPATH", "")])
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    tests = ROOMS[room][1]
    code: int = _PASSED
    for place in (UNIT, WHOLE):
        if code == _PASSED and (group := [test for test in tests if test.startswith(place)]):
            code = pytest.main(["-x", "-q", f"--basetemp={slot}-tmp", *group])
    os._exit(code)


def _outcomes(drawn: list[Mutant], slots: list[Path], limit: float) -> Iterator[tuple[Mutant, int]]:
    """Each mutant with the exit code of its tests, as many at once as there are slots."""
    waiting, free = list(reversed(drawn)), list(slots)
    running: dict[int, tuple[Mutant, Path, float]] = {}
    while waiting or running:
        while waiting and free:
            mutant, slot = waiting.pop(), free.pop()
            (slot / "genaug" / mutant.module.relative_to(CORE)).write_text(mutant.source(), "utf-8")
            running[_start(slot, mutant.room)] = (mutant, slot, time.monotonic())
        process, status = os.waitpid(-1, os.WNOHANG)
        if not process:
            for late in [number for number, (_, _, begun) in running.items() if time.monotonic() - begun > limit]:
                os.killpg(late, signal.SIGKILL)
            time.sleep(0.05)
            continue
        mutant, slot, _ = running.pop(process)
        shutil.copy(mutant.module, slot / "genaug" / mutant.module.relative_to(CORE))
        free.append(slot)
        yield mutant, os.waitstatus_to_exitcode(status)


def _wait(process: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--room", choices=ROOMS)
    parser.add_argument("--limit", type=float, default=300)
    return parser.parse_args()


if __name__ == "__main__":
    main()
