"""Removes an output to make room for another one: what genaug wrote there, and nothing else."""

import re
from collections.abc import Iterator
from pathlib import Path

from genaug.errors import OutputError
from genaug.output.files import MODELS, OWN, REQUEST, RUN, STUDY, TOP_LEVEL
from genaug.output.folder import OutputFolder
from genaug.storage import LOCK, is_part, locked, read_json, remove

_MODEL = re.compile(rf"{MODELS}/[^/]+/(all|\d+)\.(json|safetensors)")


def remove_output(output: OutputFolder) -> None:
    """Remove what a run wrote to a folder: the files that its provenance lists, its records, models and own folder.

    Raises OutputError, before anything is removed, for a file that genaug did not write, for an edited card, and for
    the output of a study.
    """
    request = read_json(output.own / REQUEST)
    if not isinstance(request, dict) or "study" in request:
        raise OutputError(
            f"{output.path} is no output of genaug run, and only such a one is replaced; give another --out"
        )
    with locked(output.own):
        output.check_foreign()
        files = _files(output)
        for path in sorted(files, key=lambda path: path.name != RUN):  # the record first: without it nothing is whole
            remove(path)
        _remove_folders(output)


def _files(output: OutputFolder) -> list[Path]:
    """Every file of OUT outside of genaug's own folder; raises OutputError for one that genaug did not write."""
    known = {*output.known_names(), *TOP_LEVEL, STUDY}
    files = list(_below(output.path))
    for path in sorted(files):
        name = path.relative_to(output.path).as_posix()
        if path.is_symlink() or not (name in known or _MODEL.fullmatch(name) or is_part(path)):
            raise OutputError(f"{path} was not written by genaug, and --overwrite would remove it; move it away")
    return files


def _below(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if OWN not in path.relative_to(folder).parts[:1] and (path.is_symlink() or not path.is_dir()):
            yield path


def _remove_folders(output: OutputFolder) -> None:
    """The folders, which hold no file now, and genaug's own work, but for the lock that is held."""
    for path in output.path.iterdir():
        if path.name != OWN and not any(_below(path)):
            remove(path)
    for path in output.own.iterdir():
        if path.name != LOCK:
            remove(path)
