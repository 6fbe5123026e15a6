"""genaug sample: more images from a trained model."""

from pathlib import Path
from typing import Annotated

import typer

from genaug.cli import console
from genaug.cli import options as given
from genaug.storage import real_path

Model = Annotated[Path, typer.Argument(help="A model file, a folder of models such as OUT/models/NAME, or OUT itself.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for the images.")]
Number = Annotated[int, typer.Option("--count", "-n", min=1, max=1_000_000, help="Images for each class.")]
First = Annotated[
    int | None, typer.Option("--first", min=0, help="Index of the first image; continues after the run if left out.")
]
Seed = Annotated[
    int | None,
    typer.Option(
        "--seed", metavar="N", callback=given.valid_seed, help="Seed of the images; the seed of the run if left out."
    ),
]


def sample(
    model: Model,
    count: Number = 16,
    out: Out = Path("genaug-samples"),
    classes: given.Classes = None,
    first: First = None,
    seed: Seed = None,
    device: given.Device = None,
    as_json: given.Json = False,
) -> int:
    """Draw more images from a trained model. Earlier images stay the same if you ask for more."""
    from genaug.run.extra_images import draw_more

    chosen = [name.strip() for name in classes.split(",") if name.strip()] if classes else None
    counts = draw_more(model, out, count=count, classes=chosen, first=first, seed=seed, device=device or "auto")
    if as_json:
        console.answer_json({"out": str(real_path(out)), "counts": counts})
    else:
        console.table("", ("class", "images"), list(counts.items()))
        console.say(f"images: {out}")
    return 0
