"""genaug inspect: what is in a folder, what is odd about it, and what to do."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genaug.cli import console
from genaug.cli import options as given

if TYPE_CHECKING:
    from genaug.data.folder import LoadedFolder
    from genaug.data.inspection import Inspection
    from genaug.probe import Finding, Probe

ShallProbe = Annotated[
    bool, typer.Option("--probe", help="Train classifiers and tell which flips, turns and hues keep every class.")
]
JudgeSteps = Annotated[
    int, typer.Option("--judge-steps", min=1, help="With --probe: training steps of each of its three classifiers.")
]


def inspect(
    data: given.Data = Path(),
    classes: given.Classes = None,
    size: given.Size = None,
    probe: ShallProbe = False,
    judge_steps: JudgeSteps = 800,
    as_json: given.Json = False,
) -> int:
    """Show classes, sizes, modes, unreadable and duplicate files, leaks between splits, and advice. Writes nothing."""
    from genaug.data.folder import load_folder
    from genaug.data.inspection import inspect_loaded

    wanted = [name.strip() for name in classes.split(",") if name.strip()] if classes else None
    loaded = load_folder(data, classes=wanted, size=given.sides(size))
    inspection = inspect_loaded(loaded)
    found = _probe(loaded, judge_steps) if probe else None
    if as_json:
        console.answer_json(inspection.to_json() | ({"probe": found.to_json()} if found else {}))
        return 0
    _tell(inspection)
    if found:
        _tell_probe(found)
    return 0


def _probe(loaded: "LoadedFolder", steps: int) -> "Probe":
    from genaug.features.crossfit import cross_fit
    from genaug.probe import probe

    return probe(loaded.train, cross_fit(loaded.train, seed=0, steps=steps))


def _tell_probe(found: "Probe") -> None:
    columns = ("change", "verdict", "error", "changed", "increase", "95 % interval")
    console.table("label-safety probe", columns, [_row(finding) for finding in found.findings], whole=range(6))
    for finding in found.findings:
        if turns := [f"{one.name} → {one.becomes} ({one.turned} of {one.right})" for one in finding.harmed]:
            console.say(f"{finding.change} turns {', '.join(turns)}")
    classes = found.findings[0].classes
    console.say(f"error as they are: {', '.join(f'{one.name} {one.own_error:.2f} of {one.images}' for one in classes)}")
    if few := [one.name for one in classes if not one.judged]:
        console.say(f"too few right ones to be judged alone, so that all images decide: {', '.join(few)}")
    console.say(f"allowed: {', '.join(found.allowed) or 'none'}")


def _row(finding: "Finding") -> tuple[str, ...]:
    pooled, (low, high) = finding.pooled, finding.pooled.interval
    rates = (f"{pooled.own_error:.3f}", f"{pooled.changed_error:.3f}", f"{pooled.increase:+.3f}")
    return finding.change, finding.verdict, *rates, f"{low:+.3f} to {high:+.3f}"


def _tell(inspection: "Inspection") -> None:
    splits = list(inspection.counts)
    rows = [(name, *(inspection.counts[split][name] for split in splits)) for name in inspection.counts["train"]]
    console.table(inspection.root, ("class", *splits), rows)
    spans = ", ".join(f"{name} {width}x{height}" for name, (width, height) in inspection.sizes.items())
    console.say(f"width x height: {spans}")
    for title, numbers in (("modes", inspection.modes), ("formats", inspection.formats)):
        console.say(f"{title}: {', '.join(f'{name} {count}' for name, count in numbers.items())}")
    console.say(f"imbalance: {inspection.imbalance:g} (largest class over smallest)")
    for text in inspection.notes:
        console.say(text)
    for path, reason in inspection.odd.items():
        console.say(f"odd: {path}: {reason}")
    for path, reason in inspection.skipped.items():
        console.say(f"left out: {path}: {reason}")
    for pair in inspection.duplicates:
        kind = "the same picture" if pair.exact else "nearly the same picture"
        where = " in two splits" if pair.splits_differ else " in two classes" if pair.labels_differ else ""
        console.say(f"{kind}{where}: {pair.first} and {pair.second}")
    for text in inspection.advice:
        console.say(f"advice: {text}")
