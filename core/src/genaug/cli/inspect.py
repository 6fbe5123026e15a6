"""genaug inspect: shows what is in a folder, which files need attention, and advice."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genaug.cli import console
from genaug.cli import options as given

if TYPE_CHECKING:
    from genaug.data.folder import LoadedFolder
    from genaug.data.inspection import Inspection
    from genaug.probe import ChangeFinding, Probe

RunProbe = Annotated[
    bool,
    typer.Option("--probe", help="Test with trained classifiers which flips, rotations and hue shifts keep the class."),
]
JudgeSteps = Annotated[
    int, typer.Option("--judge-steps", min=1, help="With --probe: training steps of each of the three classifiers.")
]


def inspect(
    data: given.Data = Path(),
    classes: given.Classes = None,
    size: given.Size = None,
    probe: RunProbe = False,
    judge_steps: JudgeSteps = 400,
    as_json: given.Json = False,
) -> int:
    """Show classes, sizes, modes, unreadable and duplicate files, leaks between splits, and advice. Writes nothing."""
    from genaug.data.description import describe_folder
    from genaug.data.folder import load_folder
    from genaug.data.inspection import inspect_folder

    wanted = [name.strip() for name in classes.split(",") if name.strip()] if classes else None
    wanted_size = given.parse_size(size)
    loaded = load_folder(data, classes=wanted, size=wanted_size) if probe else None
    inspection = inspect_folder(loaded or describe_folder(data, classes=wanted, size=wanted_size))
    result = _probe(loaded, judge_steps) if loaded else None
    if as_json:
        console.answer_json(inspection.to_json() | ({"probe": result.to_json()} if result else {}))
        return 0
    _show(inspection)
    if result:
        _show_probe(result)
    return 0


def _probe(loaded: "LoadedFolder", steps: int) -> "Probe":
    from genaug.features.crossfit import cross_fit
    from genaug.probe import probe

    return probe(loaded.train, cross_fit(loaded.train, seed=0, steps=steps))


def _show_probe(result: "Probe") -> None:
    columns = ("change", "verdict", "error", "changed", "increase", "95 % interval")
    console.table("label-safety probe", columns, [_row(finding) for finding in result.findings], whole=range(6))
    for finding in result.findings:
        if turns := [f"{one.name} → {one.becomes} ({one.turned} of {one.right})" for one in finding.harmed]:
            console.say(f"{finding.change} turns {', '.join(turns)}")
    classes = result.findings[0].classes
    errors = ", ".join(f"{one.name} {one.own_error:.2f} of {one.images}" for one in classes)
    console.say(f"error of unchanged images: {errors}")
    if few := [one.name for one in classes if not one.judged]:
        console.say(f"too few correctly classified images; the verdict on all images counts: {', '.join(few)}")
    console.say(f"allowed: {', '.join(result.allowed) or 'none'}")


def _row(finding: "ChangeFinding") -> tuple[str, ...]:
    pooled, (low, high) = finding.pooled, finding.pooled.interval
    rates = (f"{pooled.own_error:.3f}", f"{pooled.changed_error:.3f}", f"{pooled.increase:+.3f}")
    return finding.change, finding.verdict, *rates, f"{low:+.3f} to {high:+.3f}"


def _show(inspection: "Inspection") -> None:
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
        console.say(f"needs attention: {path}: {reason}")
    for path, reason in inspection.skipped.items():
        console.say(f"left out: {path}: {reason}")
    for pair in inspection.duplicates:
        kind = "the same picture" if pair.exact else "nearly the same picture"
        where = " in two splits" if pair.splits_differ else " in two classes" if pair.labels_differ else ""
        console.say(f"{kind}{where}: {pair.first} and {pair.second}")
    for text in inspection.advice:
        console.say(f"advice: {text}")
