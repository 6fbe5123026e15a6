"""The current folder in place of DATA: taken only where it is a data set beyond doubt."""

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from genaug.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genaug.data.scan import FoundFile

_LOOSE = frozenset({".csv", ".json", ".jsonl", ".md", ".txt", ".yaml", ".yml"})  # what data sets hold beside images
_MOST_SHOWN = 3


def refuse_strange_folder(context: Any, data: Path) -> Path:
    """DATA; raises UsageError where it was left out and the current folder holds other things than images.

    `genaug inspect` writes nothing and takes any folder.
    """
    source = context.get_parameter_source("data")
    if source is not None and source.name == "DEFAULT" and context.info_name != "inspect":
        current_folder(f"genaug {context.info_name}")
    return data


def current_folder(command: str) -> Path:
    """The current folder in place of DATA; raises UsageError where it holds other things than images."""
    _refuse(Path.cwd(), command)
    return Path()


def _refuse(folder: Path, command: str) -> None:
    from genaug.data.scan import scan

    try:
        found = scan(folder)
    except DataError as error:
        raise UsageError(f"no DATA was given, and the current folder is no data set: {error}") from error
    files: dict[str, list[FoundFile]] = {}
    for split in found.splits.values():
        for file in split:
            files.setdefault(file.label_name, []).append(file)
    others = [entry.name for entry in folder.iterdir() if entry.is_file() and not _beside_data(entry.name)]
    strange = {name: files for name, files in files.items() if not _is_class(files)}
    if not strange and not others:
        return
    classes = list(strange or files)
    shown = ", ".join(f"{name} ({len(files[name])} files)" for name in classes[:_MOST_SHOWN])
    more = f" and {len(classes) - _MOST_SHOWN} more" if len(classes) > _MOST_SHOWN else ""
    raise UsageError(
        f"no DATA was given, and the current folder is hardly a data set: its {len(files)} folders would be taken as "
        f"classes, such as {shown}{more}; give the folder of your images, or `{command} .` if it is this one"
    )


def _beside_data(name: str) -> bool:
    return name.startswith(".") or PurePosixPath(name).suffix.lower() in _LOOSE or name.upper() == "LICENSE"


def _is_class(files: "Sequence[FoundFile]") -> bool:
    """Whether at least half of the files are images that lie in the folder itself, not in folders inside it."""
    from PIL import Image

    paths = [PurePosixPath(file.name) for file in files]
    images = [path for path in paths if path.suffix.lower() in Image.registered_extensions() and len(path.parts) == 2]
    return len(images) >= len(files) / 2
