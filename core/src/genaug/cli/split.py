"""genaug split: deals out a test split that shares no near-duplicates with train."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from genaug.cli import console
from genaug.cli import options as given
from genaug.storage import real_path

if TYPE_CHECKING:
    from genaug.data.description import DescribedFolder
    from genaug.data.test_split import TestSplit

Test = Annotated[
    float, typer.Option("--test", metavar="SHARE", help="Share of each class that becomes test images; at most 0.5.")
]
SplitOut = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FOLDER", help="Output folder; DATA-split beside the data if left out."),
]


def split(
    data: given.Data = Path(),
    *,
    test: Test = 0.2,
    out: SplitOut = None,
    classes: given.Classes = None,
    seed: given.Seed = None,
    as_json: given.Json = False,
) -> int:
    """Copy a data set into train/ and test/, class by class. Near-duplicates stay together, so none is on both sides.

    Your files stay as they are.
    """
    from genaug.data.description import describe_folder
    from genaug.data.test_split import choose_test_split
    from genaug.output.real_only import refuse_synthetic
    from genaug.output.test_split import write_test_split

    folder = describe_folder(data, classes=None if classes is None else given.named(classes, "--classes"))
    refuse_synthetic(folder)
    for text in folder.left_out:
        console.note(text)
    chosen = choose_test_split(folder, test, seed or 0)
    target = out or real_path(data).with_name(f"{real_path(data).name}-split")
    write_test_split(folder, chosen.test, target)
    _answer(folder, chosen, target, as_json=as_json)
    return 0


def _answer(folder: "DescribedFolder", chosen: "TestSplit", target: Path, *, as_json: bool) -> None:
    labels = folder.splits["train"].labels
    counts = {
        name: {
            "train": int((~chosen.test & (labels == label)).sum()),
            "test": int((chosen.test & (labels == label)).sum()),
        }
        for label, name in enumerate(folder.spec.classes)
    }
    if as_json:
        facts = {"near_duplicate_groups": chosen.groups, "without_test_images": list(chosen.without)}
        console.answer_json({"out": str(real_path(target)), "counts": counts, **facts})
        return
    console.table("", ("class", "train", "test"), [(name, *row.values()) for name, row in counts.items()])
    if chosen.groups:
        console.say(f"groups of near-duplicates, each kept on one side: {chosen.groups}")
    if chosen.without:
        console.say(f"no test image, since all images are near-duplicates of each other: {', '.join(chosen.without)}")
    console.say(f"data set: {target}")
    console.say(f"next: genaug study {quote(str(target))}")
