"""genaug verify: whether an output is still what a run wrote, and whether test images went into training."""

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
    """Tell real from synthetic; find what is not as the run wrote it, and test images in train. Writes nothing."""
    from genaug.audit import verify as verify_output

    found = verify_output(out)
    if as_json:
        console.answer_json(found.to_json())
    else:
        _tell(found)
    return DIFFERENT_EXIT_CODE if found.findings else 0


def _tell(found: "Verification") -> None:
    rows = [(split, *counts.values()) for split, counts in found.counts.items()]
    console.table("", ("split", "real", "synthetic", "unknown"), rows)
    if found.findings:
        lines = [(one.kind, one.path, one.detail) for one in found.findings]
        console.table("", ("finding", "file", "what"), lines, whole=[0])
        console.say(f"{len(found.findings)} finding(s)")
    else:
        console.say("every image and model is as the run wrote it")
    if not found.held_out:
        console.say("no split but train is here: whether test images went into training cannot be told")
    elif not any(one.kind == "leaked" for one in found.findings):
        console.say(
            f"none of {found.training} training images is, or nearly is, one of the {found.held_out} held-out pictures"
        )
