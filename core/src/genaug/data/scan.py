"""Walks an image folder: which file belongs to which class of which split, and what is left out and why."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from genaug.errors import DataError, unknown

SPLIT_FOLDERS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}


@dataclass(frozen=True)
class FoundFile:
    """A candidate image. name: posix path relative to the folder of its split, `<class>/sub/a.png`."""

    path: Path
    split: str
    label_name: str
    name: str


@dataclass(frozen=True)
class Skipped:
    """A file or folder that is left out. path: relative to DATA."""

    path: str
    split: str
    label_name: str | None
    reason: str


@dataclass(frozen=True)
class Scan:
    """What a folder holds.

    splits: candidates by split name (train, val, test). folder_names: how DATA itself calls each split; a folder
    without splits calls it train. classes: those of train, sorted as torchvision's ImageFolder sorts them.
    """

    root: Path
    splits: dict[str, tuple[FoundFile, ...]]
    folder_names: dict[str, str]
    classes: tuple[str, ...]
    skipped: tuple[Skipped, ...]


def scan(folder: Path, classes: Sequence[str] | None = None) -> Scan:
    """Find the images of DATA/<class>/* or DATA/{train,val,test}/<class>/*; folders inside a class belong to it.

    Raises DataError when there is no such folder, or none with classes; UsageError for a class that is not there.
    """
    root = _existing(folder)
    walk = _Walk(root.resolve())
    homes = _homes(root, walk)
    found = {split: dict(walk.classes(home, split)) for split, home in homes.items()}
    train = found["train"]
    if not train:
        raise DataError(
            f"{root} has no class folders with files in them; expected {homes['train']}/<class>/<image>, one folder "
            "for each class"
        )
    for name in classes or ():
        if name not in train:
            raise unknown("class", name, train)
    wanted = tuple(sorted(train if classes is None else set(classes)))
    splits = {split: _of_classes(kinds, wanted, split, walk, strict=classes is None) for split, kinds in found.items()}
    names = {split: home.name if home != root else "train" for split, home in homes.items()}
    return Scan(root, splits, names, wanted, tuple(walk.skipped))


def _existing(folder: Path) -> Path:
    try:
        if folder.is_dir():
            next(os.scandir(folder), None)
            return folder
    except OSError as error:
        raise DataError(f"the folder {folder} cannot be read: {error.strerror}; check its permissions") from error
    if folder.exists():
        raise DataError(f"{folder} is a file; expected a folder of class folders")
    raise DataError(f"there is no folder {folder}; expected a folder of class folders")


def _homes(root: Path, walk: "_Walk") -> dict[str, Path]:
    """Where each split lives. Only a folder called train makes the others splits; else they are classes."""
    entries = {entry.name: Path(entry.path) for entry in os.scandir(root) if entry.is_dir()}
    if "train" not in entries or walk.leaves(entries["train"]):
        return {"train": root}
    homes: dict[str, Path] = {}
    for name, path in sorted(entries.items()):
        split = SPLIT_FOLDERS.get(name)
        if split is None or split in homes:
            reason = "not a split: expected train, val or test beside train" if split is None else "a second val folder"
            walk.skip(path, name, None, reason)
        else:
            homes[split] = path
    return homes


def _of_classes(
    kinds: dict[str, list[FoundFile]], wanted: Sequence[str], split: str, walk: "_Walk", *, strict: bool
) -> tuple[FoundFile, ...]:
    for name in sorted(kinds.keys() - set(wanted)):
        if strict:
            raise DataError(
                f"class {name!r} of {split} is not in train; rename or remove it, or give train images of that class"
            )
        for file in kinds[name]:
            walk.skip(file.path, split, name, "of a class that --classes leaves out")
    return tuple(file for name in wanted for file in kinds.get(name, []))


@dataclass
class _Walk:
    """One walk over the tree, with a list of all that it leaves out."""

    root: Path
    skipped: list[Skipped] = field(default_factory=list)

    def classes(self, home: Path, split: str) -> Iterator[tuple[str, list[FoundFile]]]:
        """Class folders of a split that hold at least one file."""
        for entry in _sorted(home):
            path = Path(entry.path)
            if not entry.is_dir():
                self.skip(path, split, None, "a file beside the class folders; it has no class")
            elif reason := self._refusal(entry):
                self.skip(path, split, None, reason)
            elif files := list(self._files(path, home, split, entry.name, (path.resolve(),))):
                yield entry.name, files
            else:
                self.skip(path, split, entry.name, "an empty class folder")

    def leaves(self, folder: Path) -> bool:
        """Whether files lie directly in a folder and no folders do: then it is a class, not a split."""
        entries = [entry for entry in os.scandir(folder) if not entry.name.startswith(".")]
        return bool(entries) and not any(entry.is_dir() for entry in entries)

    def skip(self, path: Path, split: str, label_name: str | None, reason: str) -> None:
        """Note what is left out."""
        relative = Path(os.path.relpath(path, self.root)) if path.is_absolute() else path
        self.skipped.append(Skipped(relative.as_posix(), split, label_name, reason))

    def _files(
        self, folder: Path, home: Path, split: str, label_name: str, above: tuple[Path, ...]
    ) -> Iterator[FoundFile]:
        for entry in _sorted(folder):
            path = Path(entry.path)
            if reason := self._refusal(entry):
                self.skip(path, split, label_name, reason)
            elif not entry.is_dir():
                yield FoundFile(path, split, label_name, path.relative_to(home).as_posix())
            elif (real := path.resolve()) in above:
                self.skip(path, split, label_name, "a link to a folder around it")
            else:
                yield from self._files(path, home, split, label_name, (*above, real))

    def _refusal(self, entry: os.DirEntry[str]) -> str:
        """Why an entry is left out without a look inside; empty when it is not."""
        if entry.name.startswith("."):
            return "hidden: its name begins with a dot, and loaders pass over it; rename it to use it"
        try:
            real = Path(entry.path).resolve(strict=True)
        except (OSError, RuntimeError):
            return "a link that leads nowhere"
        if entry.is_symlink() and self.root not in real.parents:
            return "a link that leaves the folder"
        if not entry.is_dir() and not entry.is_file():
            return "not a regular file"
        if not os.access(real, os.R_OK | (os.X_OK if entry.is_dir() else 0)):
            return "permission denied"
        return ""


def _sorted(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)
