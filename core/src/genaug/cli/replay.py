"""genaug replay: an image drawn again from its record."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genaug.cli import console
from genaug.cli import options as given
from genaug.errors import DIFFERENT_EXIT_CODE

if TYPE_CHECKING:
    from genaug.audit import Replay

File = Annotated[Path, typer.Argument(help="A synthetic image.")]
Models = Annotated[
    Path | None, typer.Option("--models", help="Output of the run that drew it, for an image that lies elsewhere.")
]


def replay(file: File, models: Models = None, as_json: given.Json = False) -> int:
    """Draw a synthetic image again from its record and compare it byte for byte. Writes nothing."""
    from genaug.audit import replay as draw_again

    made = draw_again(file, models)
    if as_json:
        console.answer_json(made.to_json())
    else:
        _tell(made)
    return 0 if made.identical else DIFFERENT_EXIT_CODE


def _tell(made: "Replay") -> None:
    console.say(f"image {made.index} of class {made.label!r} by {made.generator}, drawn again on {made.device}")
    if made.identical:
        console.say("identical: the same bytes")
        return
    if made.largest is None:
        console.say("different: the file is no image of that size")
    elif made.largest == 0:
        console.say("different: the same pixels in other bytes; the file was saved anew, or by another version")
    else:
        console.say(f"different: by {made.largest:g} grey levels at the most, {made.mean:g} in the mean")
    if made.as_written:
        console.note("what is drawn again is what the run wrote: the file was changed since")
    elif made.plugin != made.installed:
        console.note(f"it was drawn by {made.plugin}; here is {made.installed}")
