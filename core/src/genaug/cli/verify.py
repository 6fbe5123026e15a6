"""genaug verify: whether an output is still what the run wrote, and whether test images are in train."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genaug.cli import console
from genaug.cli import options as given
from genaug.errors import DIFFERENT_EXIT_CODE

if TYPE_CHECKING:
    from genaug.audit import Verification

Output = Annotated[Path, typer.Argument(help="The output of a run.")]


def verify(out: Output, as_json: given.Json = False) -> int:
    """Check an output: find changed files, and test images that are also in train. Writes nothing."""
    from genaug.audit import verify as verify_output

    found = verify_output(out)
    if as_json:
        console.answer_json(found.to_json())
    else:
        _show(found)
    return DIFFERENT_EXIT_CODE if found.findings else 0


def _show(found: "Verification") -> None:
    rows = [(split, *counts.values()) for split, counts in found.counts.items()]
    console.table("", ("split", "real", "synthetic", "unknown"), rows)
    if found.findings:
        lines = [(one.kind, one.path, one.detail) for one in found.findings]
        console.table("", ("finding", "file", "what"), lines, whole=[0])
        console.say(f"{len(found.findings)} finding(s)")
    else:
        console.say("every image and model is as the run wrote it")
    if not found.held_out:
        console.say("there is no split but train, so it is unknown whether test images went into training")
    elif not any(one.kind == "leaked" for one in found.findings):
        console.say(
            f"none of {found.training} training images is, or nearly is, one of the {found.held_out} held-out images"
        )
