"""The output folder: whose it is, what it was made for, and how finished work comes into it."""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from genaug.errors import DataError, OutputError
from genaug.mixing.lines import read_lines
from genaug.storage import LOCK, make_folder, move, read_json, remove, write_json

PROVENANCE = "provenance.jsonl"
SPLIT_NAMES = {"train": "train", "val": "validation", "test": "test"}  # as Hugging Face calls them
_OWN = ".genaug"
_COMMIT = "run.json"


def holder(line: Mapping[str, Any]) -> str:
    """The file of OUT that holds the image of a line of provenance: its own, or a shard."""
    return str(line.get("shard", line["file_name"]))


def data_globs(format_name: str, lines: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """{split: the files that hold it, as a pattern relative to OUT}; only splits that have images."""
    homes = {line["split"]: holder(line).partition("/")[0] for line in lines}
    suffix = {"webdataset": "tar", "parquet": "parquet"}.get(format_name)
    globs = {split: f"{home}/**" if suffix is None else f"{home}/{split}-*.{suffix}" for split, home in homes.items()}
    return {split: globs[split] for split in SPLIT_NAMES if split in globs}


def require_folder(out: Path) -> None:
    """Raise DataError for the output of a run whose images lie in shards, where class folders are needed."""
    run = read_json(out / _COMMIT)
    name = run.get("format", "folder") if isinstance(run, dict) else "folder"
    if name != "folder":
        raise DataError(f"the images of {out} lie in shards ({name}); expected class folders: run with --format folder")


class OutputFolder:
    """OUT, with genaug's own folder `.genaug` inside it for the lock, unfinished work and drawn images."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.own = path / _OWN
        self.models = path / "models"
        self.stage = self.own / "stage"
        self._request = self.own / "request.json"

    def check(self, data: Path, request: Mapping[str, Any]) -> None:
        """Refuse a folder that is something else's, that overlaps DATA, or that was made with other settings."""
        mine, theirs = self.path.resolve(), data.resolve()
        if mine == theirs or theirs in mine.parents or mine in theirs.parents:
            raise OutputError(f"the output {mine} and the data {theirs} overlap; give an --out outside the data")
        if self.path.exists() and not self.path.is_dir():
            raise OutputError(f"the output {self.path} is a file; give another --out")
        if self.path.exists() and not self.own.is_dir() and any(self.path.iterdir()):
            raise OutputError(f"the output {self.path} holds something else; give another --out, or an empty folder")
        self._check_same(request)
        self._check_no_strangers()

    def check_room(self, needed: int) -> None:
        """Refuse before any work what the disk cannot hold."""
        home = next(folder for folder in (self.path, *self.path.resolve().parents) if folder.exists())
        free = shutil.disk_usage(home).free
        if needed > free:
            raise OutputError(
                f"this plan needs about {needed / 1e9:.1f} GB and {home} has {free / 1e9:.1f} GB free; "
                "ask for fewer images, or give an --out on another disk"
            )

    def claim(self, request: Mapping[str, Any]) -> None:
        """Note what this folder is made for."""
        make_folder(self.own)
        write_json(self._request, request)

    def publish(self) -> None:
        """Move the finished stage into place; run.json goes first away and comes last, so its presence means done."""
        remove(self.path / _COMMIT)
        names = sorted(entry.name for entry in self.stage.iterdir())
        for name in [*(name for name in names if name != _COMMIT), _COMMIT]:
            old = make_folder(self.own / "old") / name
            remove(old)
            if (self.path / name).exists():
                move(self.path / name, old)
            move(self.stage / name, self.path / name)
        remove(self.own / "old")
        remove(self.stage)

    def _check_same(self, request: Mapping[str, Any]) -> None:
        before = read_json(self._request) if self._holds_work() else None
        differing = [] if before is None else list(_differences(before, request))
        if differing:
            raise OutputError(
                f"the output {self.path} was made with other settings ({'; '.join(differing[:3])}"
                f"{'; ...' if len(differing) > 3 else ''}); give another --out, or remove that folder"
            )

    def _holds_work(self) -> bool:
        """Whether anything was made here yet; a run that was refused before its first step leaves nothing."""
        marks = (self._request, self.own / LOCK)
        return any(path.is_file() and path not in marks for path in self.path.rglob("*"))

    def _check_no_strangers(self) -> None:
        """A second run replaces the split folders, so a file that somebody else put there stops it."""
        records = self.path / PROVENANCE
        known = {holder(line) for line in (read_lines(records) if records.exists() else ())}
        for split in {name.partition("/")[0] for name in known}:
            for path in sorted((self.path / split).rglob("*")):
                if not path.is_dir() and path.relative_to(self.path).as_posix() not in known:
                    raise OutputError(f"{path} was not written by genaug, and a new run would remove it; move it away")


def _differences(before: Any, after: Any, where: str = "") -> Iterator[str]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            yield from _differences(before.get(key), after.get(key), f"{where}.{key}".lstrip("."))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _differences(old, new, f"{where}[{place}]")
    elif before != after:
        yield f"{where}: {before} there, {after} now"
