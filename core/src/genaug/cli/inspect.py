"""genaug inspect: what is in a folder, what is odd about it, and what to do."""

from pathlib import Path
from typing import TYPE_CHECKING

from genaug.cli import console
from genaug.cli import options as given

if TYPE_CHECKING:
    from genaug.data.inspection import Inspection


def inspect(data: given.Data = Path(), classes: given.Classes = None, as_json: given.Json = False) -> int:
    """Show classes, sizes, modes, unreadable and duplicate files, leaks between splits, and advice. Writes nothing."""
    from genaug.data.inspection import inspect_folder

    wanted = [name.strip() for name in classes.split(",") if name.strip()] if classes else None
    inspection = inspect_folder(data, wanted)
    if as_json:
        console.answer_json(inspection.to_json())
    else:
        _tell(inspection)
    return 0


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
