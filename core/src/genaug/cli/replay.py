"""genaug replay: draws an image again from its record."""

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
Data = Annotated[
    Path | None,
    typer.Option("--data", help="Folder of your real images, for a variant of one that the output does not hold."),
]


def replay(file: File, models: Models = None, data: Data = None, as_json: given.Json = False) -> int:
    """Draw a synthetic image again from its record and compare it byte for byte. Writes nothing."""
    from genaug.audit import replay as draw_again

    result = draw_again(file, models, data)
    if as_json:
        console.answer_json(result.to_json())
    else:
        _show(result)
    return 0 if result.identical else DIFFERENT_EXIT_CODE


def _show(result: "Replay") -> None:
    console.say(f"image {result.index} of class {result.label!r} by {result.generator}, drawn again on {result.device}")
    if result.identical:
        console.say("identical: the same bytes")
        return
    if result.largest is None:
        console.say("different: the file is not an image of that size")
    elif result.largest == 0:
        console.say("different: the same pixels in other bytes; the file was saved again, or by another version")
    else:
        console.say(f"different: by at most {result.largest:g} grey levels, {result.mean:g} on average")
    if result.as_written:
        console.note("the image drawn again is what the run wrote: the file was changed since")
    elif result.plugin != result.installed:
        console.note(f"it was drawn by {result.plugin}; here is {result.installed}")
