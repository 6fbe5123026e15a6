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
    raise SystemExit(str(inspection))
