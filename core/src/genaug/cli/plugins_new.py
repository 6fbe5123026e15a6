"""genaug plugins new: write the package of a new plugin."""

from pathlib import Path
from typing import Annotated

import typer

from genaug.cli import console
from genaug.errors import unknown
from genaug.registry import load_registry

_TRY = {
    "generator": "genaug run DATA -g {name}",
    "metric": "genaug evaluate REAL SYNTHETIC --metrics {name}",
    "selector": "genaug run DATA --select {name}",
}


def new(
    name: Annotated[str, typer.Argument(help="Name of the plugin, as users will write it, such as my-model.")],
    kind: Annotated[str, typer.Option("--kind", help="What it adds: generator, metric or selector.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder to write; genaug-NAME in the current one if left out.")
    ] = None,
) -> None:
    """Write the package of a new plugin, which works as it is: code, tests, checks, licence."""
    from genaug.scaffold import KINDS, write_package

    found = next((one for one in KINDS if one == kind), None)
    if found is None:
        raise unknown("kind", kind, KINDS)
    folder = write_package(name, found, load_registry(), out)
    console.say(f"wrote {folder}: a {kind} that works; its code is in {folder / 'src'}")
    for line in (f"pip install -e {folder}", f"genaug plugins test {name}", _TRY[kind].format(name=name)):
        console.note(f"next: {line}")
