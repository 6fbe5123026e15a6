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
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kills_processes import Kill
from kills_scenarios import SCENARIOS, Scenario


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
