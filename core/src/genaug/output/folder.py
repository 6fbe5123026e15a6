"""The output folder: which run it belongs to, and how finished work is moved into it."""

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Set
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

from genaug.data.scan import SPLIT_FOLDERS
from genaug.errors import OutputError
from genaug.output.files import CARD, MODELS, OWN, REQUEST, RUN, SHARDS, SHEETS, TOP_LEVEL
from genaug.output.provenance import has_provenance, holder, provenance_lines
from genaug.storage import (
    LOCK,
    file_sha256,
    make_folder,
    move,
    read_json,
    read_json_lines,
    real_path,
    remove,
    remove_parts,
    write_json,
    write_json_lines,
)

SPLIT_NAMES = {"train": "train", "val": "validation", "test": "test"}  # as Hugging Face calls them
_DATA_FOLDERS = (*SPLIT_FOLDERS, SHARDS)
_SHEET = re.compile(rf"{SHEETS}/(rejected-)?\d+\.png")


def data_globs(format_name: str, homes: Mapping[str, str]) -> dict[str, str]:
    """{split: pattern of the files that hold it, relative to OUT}. homes: {split: its folder}."""
    suffix = {"webdataset": "tar", "parquet": "parquet"}.get(format_name)
    globs = {split: f"{home}/**" if suffix is None else f"{home}/{split}-*.{suffix}" for split, home in homes.items()}
    return {split: globs[split] for split in SPLIT_NAMES if split in globs}


class OutputFolder:
    """OUT. Inside it genaug's own folder holds the lock, unfinished work and drawn images."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.own = path / OWN
        self.models = path / MODELS
        self.stage = self.own / "stage"
        self._old = self.own / "old"
        self._request = self.own / REQUEST
        self._names = self.own / "names.jsonl"
        self._cards = self.own / "cards.json"

    def check(self, data: Path, request: Mapping[str, Any]) -> None:
        """Raise OutputError for a folder that holds something else, overlaps DATA, or was made with other settings."""
        self.check_place(data)
        self._check_same(request)
        self.check_foreign()

    def check_place(self, data: Path) -> None:
        """Raise OutputError for a folder that holds something else or overlaps DATA."""
        out, source = real_path(self.path), real_path(data)
        if out == source or source in out.parents or out in source.parents:
            raise OutputError(f"the output {out} and the data {source} overlap; give an --out outside the data")
        if self.path.exists() and not self.path.is_dir():
            raise OutputError(f"the output {self.path} is a file; give another --out")
        if self.path.exists() and not self.own.is_dir() and any(self.path.iterdir()):
            raise OutputError(f"the output {self.path} holds something else; give another --out, or an empty folder")
        self._check_links()

    def check_settings(self, known: Mapping[str, Any]) -> None:
        """Raise OutputError for a folder made with other settings, before the images are read.

        known: the parts of the request that the settings alone decide, as the user spelt them; a value of another type
        than the one there is not compared.
        """
        before = self._request_before()
        if before is not None:
            self._refuse(_differences(_part(before, known), known))

    def replaces(self, request: Mapping[str, Any]) -> bool:
        """Whether a run was made here with other settings than these."""
        before = self._request_before()
        return before is not None and any(_differences(before, request))

    def check_foreign(self) -> None:
        """Raise OutputError where a person put a file, or edited the card, that a new run would replace."""
        self._check_own_files()
        self._check_card()

    def check_room(self, needed: int) -> None:
        """Raise OutputError, before any work, where the disk has less than the bytes needed."""
        home = next(folder for folder in (self.path, *real_path(self.path).parents) if folder.exists())
        free = shutil.disk_usage(home).free
        if needed > free:
            raise OutputError(
                f"this plan needs about {needed / 1e9:.1f} GB and {home} has {free / 1e9:.1f} GB free; "
                "ask for fewer images, or give an --out on another disk"
            )

    def claim(self, request: Mapping[str, Any]) -> None:
        """Record what this folder is made for, and remove the unfinished files of a killed run."""
        make_folder(self.own)
        remove_parts(self.path)
        write_json(self._request, request)

    def publish(self) -> None:
        """Move the finished stage into place. The run file is removed first and moved last: it marks a whole output.

        Raises OutputError for what a person put there while the run was at work.
        """
        self.check_foreign()
        self._remember_names()
        self._remember_cards(self.path, self.stage)
        remove(self.path / RUN)
        sheets = _sheets_in(self.stage)
        names = sorted(entry.name for entry in self.stage.iterdir())
        for name in [*(name for name in names if name != RUN), RUN]:
            old = make_folder(self._old) / name
            remove(old)
            if (self.path / name).exists():
                move(self.path / name, old)
            move(self.stage / name, self.path / name)
        remove(self._old)
        remove(self.stage)
        write_json_lines(self._names, sheets)
        self._remember_cards(self.path)

    def _check_links(self) -> None:
        """Where genaug keeps its own files, a link would lead them to another folder, perhaps to one of the user."""
        for path in (self.own, self.models, *self.own.glob("*"), *self.models.glob("*")):
            if path.is_symlink():
                raise OutputError(f"{path} is a link, and genaug writes into folders of OUT alone; remove the link")

    def _check_same(self, request: Mapping[str, Any]) -> None:
        before = self._request_before()
        if before is not None:
            self._refuse(_differences(before, request))

    def _request_before(self) -> Any | None:
        """The request of the run that did work here; None where there was none."""
        return read_json(self._request) if self._holds_work() else None

    def _refuse(self, differing: Iterator[str]) -> None:
        found = list(differing)
        if found:
            raise OutputError(
                f"the output {self.path} was made with other settings ({'; '.join(found[:3])}"
                f"{'; ...' if len(found) > 3 else ''}); give another --out, or --overwrite to replace it"
            )

    def _holds_work(self) -> bool:
        """Whether a run did any work here; one that was refused before its first step leaves nothing."""
        empty = (self._request, self.own / LOCK)
        return any(path.is_file() and path not in empty for path in self.path.rglob("*"))

    def _remember_names(self) -> None:
        """Keep the names of all files that may lie in OUT's folders while an old output gives way to a new one.

        Killed in between, the next run finds files of both there, and the provenance of one of them at most. Later only
        the names of contact sheets are kept, since the provenance holds the others.
        """
        write_json_lines(self._names, chain(self.known_names(), _names_in(self.stage), _sheets_in(self.stage)))

    def _remember_cards(self, *folders: Path) -> None:
        """Keep the hashes of these folders' cards, to tell one that a person edited."""
        cards = [folder / CARD for folder in folders]
        write_json(self._cards, sorted({file_sha256(card) for card in cards if card.is_file()}))

    def _check_card(self) -> None:
        cards, card = _texts(self._cards), self.path / CARD
        if cards and card.is_file() and file_sha256(card) not in cards:
            raise OutputError(f"{card} was edited, and a new run would replace it; move it away")

    def known_names(self) -> Iterator[str]:
        """The data files and contact sheets that genaug wrote here, relative to OUT."""
        kept = _kept_names(self._names) if self._names.exists() else _sheets_in(self.path)  # 0.1.0 kept no names
        return chain(kept, _names_in(self.path))

    def _check_own_files(self) -> None:
        """A second run replaces folders, so it stops at a file in them that genaug did not write.

        A person may have put a folder where one of the files of a run will be.
        """
        known = set(self.known_names())
        homes = {name.partition("/")[0] for name in known} - {SHEETS} or _DATA_FOLDERS
        for home in (*sorted(homes), SHEETS, *TOP_LEVEL):
            foreign = (
                path for path in _files_in(self.path / home) if path.relative_to(self.path).as_posix() not in known
            )
            if (first := min(foreign, default=None)) is not None:
                raise _foreign(first)
        if self._old.is_dir():  # half of an older output, which a killed run was moving away
            self._check_old(known)

    def _check_old(self, known: Set[str]) -> None:
        whole = {*known, *TOP_LEVEL}
        foreign = (path for path in _files_in(self._old) if path.relative_to(self._old).as_posix() not in whole)
        if (first := min(foreign, default=None)) is not None:
            raise _foreign(first)


def _foreign(path: Path) -> OutputError:
    return OutputError(f"{path} was not written by genaug, and a new run would remove it; move it away")


def _files_in(folder: Path) -> Iterator[Path]:
    """Everything in a folder and the folders in it but these folders; links are not followed."""
    for home, folders, files in os.walk(folder):
        yield from (Path(home, name) for name in files)
        yield from (Path(home, name) for name in folders if Path(home, name).is_symlink())


def _sheets_in(folder: Path) -> list[str]:
    """The contact sheets in a folder, by their names."""
    names = sorted(path.relative_to(folder).as_posix() for path in (folder / SHEETS).glob("*"))
    return [name for name in names if _SHEET.fullmatch(name)]


def _names_in(folder: Path) -> Iterator[str]:
    """The files that hold images by the provenance of a folder, each once."""
    shards = set()
    for line in provenance_lines(folder) if has_provenance(folder) else ():
        if holder(line) not in shards:
            yield holder(line)
        if "shard" in line:
            shards.add(holder(line))


def _kept_names(path: Path) -> Iterator[str]:
    """The names in a file of `_remember_names`, as far as it is whole."""
    with suppress(ValueError):
        yield from (name for name in read_json_lines(path) if isinstance(name, str))


def _texts(path: Path) -> list[str]:
    """The texts in a file of `write_json`; none where it is missing or holds no list."""
    found = read_json(path)
    return [text for text in found if isinstance(text, str)] if isinstance(found, list) else []


def _part(before: Any, known: Any) -> Any:
    """The part of what was there that `known` speaks of, with the same keys."""
    if isinstance(before, Mapping) and isinstance(known, Mapping):
        return {key: _part(before.get(key), value) for key, value in known.items()}
    if isinstance(before, list) and isinstance(known, list) and len(before) == len(known):
        return [_part(old, new) for old, new in zip(before, known, strict=True)]
    return before if _kind(before) is _kind(known) else known


def _kind(value: Any) -> type:
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)


def _differences(before: Any, after: Any, where: str = "") -> Iterator[str]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            yield from _differences(before.get(key), after.get(key), f"{where}.{key}".lstrip("."))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _differences(old, new, f"{where}[{place}]")
    elif before != after:
        yield f"{where}: {before} there, {after} now"
