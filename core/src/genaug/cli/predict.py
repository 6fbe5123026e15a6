"""genaug predict: the probabilities of a trained classifier for a folder of images."""

from pathlib import Path
from typing import Annotated

import typer

from genaug.cli import console
from genaug.cli import options as given
from genaug.errors import OutputError
from genaug.storage import file_lines, write_text

Model = Annotated[Path, typer.Argument(help="Folder that genaug train wrote.")]
Images = Annotated[Path, typer.Argument(help="Folder of images; those in its folders are read too.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="CSV file; printed if left out.")]


def predict(model: Model, images: Images, out: Out = None, device: given.Device = None) -> int:
    """Write the class probabilities of every image in a folder as CSV."""
    from genaug.studies.prediction import HEAD
    from genaug.studies.prediction import predict as predict_folder

    if out is not None:
        _refuse_other_file(out, ",".join(HEAD))
    found = predict_folder(model, images, device=device or "auto")
    for entry in found.skipped:
        console.note(f"left out: {entry.path}: {entry.reason}")
    if found.skipped:
        console.note(f"{len(found.skipped)} file(s) left out, {len(found.files)} predicted")
    if out is None:
        console.answer_text(found.to_csv())
    else:
        write_text(out, found.to_csv())
        console.say(str(out))
    return 0


def _refuse_other_file(out: Path, head: str) -> None:
    """Raise OutputError where OUT is not a table of this command."""
    if out.exists() and not (out.is_file() and next(file_lines(out), b"").startswith(head.encode())):
        raise OutputError(f"{out} holds something else; give another --out, or move it away")
