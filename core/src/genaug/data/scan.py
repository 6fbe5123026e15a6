"""Walks an image folder: which file belongs to which class of which split, and what is left out and why."""

import os
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from genaug.errors import DataError, UsageError, unknown

SPLIT_FOLDERS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
SPLIT_WORDS = frozenset({*SPLIT_FOLDERS, "training", "testing", "dev", "eval", "evaluation"})


@dataclass(frozen=True)
class FoundFile:
    """A candidate image. name: posix path relative to the folder of its split, `<class>/sub/a.png`."""

    path: Path
    split: str
    label_name: str
    name: str


@dataclass(frozen=True)
class Skipped:
    """A file or folder that is left out. path: posix, relative to DATA. split, label_name: None where it has none."""

    path: str
    split: str | None
    label_name: str | None
    reason: str


@dataclass(frozen=True)
class Scan:
    """What a folder holds.

    train_root: the folder of the training classes, DATA or DATA/train. splits: candidates by split name (train, val,
    test), only splits that have some. folder_names: how DATA itself calls each split; a folder without splits calls
    it train. classes: those of train, sorted as torchvision's ImageFolder sorts them. owner: keeps files of a scratch
    folder there for as long as this is; None where the files are the user's own.
    """

    root: Path
    train_root: Path
    splits: dict[str, tuple[FoundFile, ...]]
    folder_names: dict[str, str]
    classes: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    owner: object = None


def scan(folder: Path, classes: Sequence[str] | None = None) -> Scan:
    """Find the images of DATA/<class>/* or DATA/{train,val,test}/<class>/*; folders inside a class belong to it.

    Raises DataError when there is no such folder, or none with classes; UsageError for a class that is not there.
    """
    root = _existing(folder)
    walk = _Walk(root)
    homes = _homes(root, walk)
    found = {split: walk.classes(home, split) for split, home in homes.items()}
    if not found["train"]:
        raise DataError(_no_classes(homes["train"], walk))
    wanted = chosen(classes, found["train"])
    why_not = "train has no image of this class" if classes is None else "not among the chosen classes"
    splits = {split: walk.kept(kinds, wanted, homes[split], split, why_not) for split, kinds in found.items()}
    return Scan(
        root=root,
        train_root=homes["train"],
        splits={split: files for split, files in splits.items() if files},
        folder_names={split: home.name if home != root else "train" for split, home in homes.items()},
        classes=wanted,
        skipped=tuple(walk.skipped),
    )


def chosen(classes: Sequence[str] | None, known: Collection[str]) -> tuple[str, ...]:
    """The classes to use, sorted: all of the known ones, or those that were asked for. Raises UsageError."""
    if classes is not None and not classes:
        raise UsageError("expected at least one class to use, got none; leave the choice out to use all of them")
    for name in classes or ():
        if name not in known:
            raise unknown("class", name, known)
    return tuple(sorted(known if classes is None else set(classes)))


def relative(path: Path, root: Path) -> str:
    """A path as messages and records show it: posix, relative to DATA."""
    return Path(os.path.relpath(path, root)).as_posix()


def _existing(folder: Path) -> Path:
    try:
        if not folder.exists():
            raise DataError(f"there is no folder {folder}; expected a folder of class folders")
        if not folder.is_dir():
            raise DataError(f"{folder} is a file; expected a folder of class folders")
        os.scandir(folder).close()
    except OSError as error:
        why = f"{error.strerror}; check its name and permissions"
        raise DataError(f"the folder {folder} cannot be read: {why}") from error
    return folder


def _no_classes(home: Path, walk: "_Walk") -> str:
    seen = f" (left out, for example, {walk.skipped[0].path}: {walk.skipped[0].reason})" if walk.skipped else ""
    return f"{home} has no class folders with files in them{seen}; expected {home}/<class>/<image>"


def _homes(root: Path, walk: "_Walk") -> dict[str, Path]:
    """Where each split lives. Only a folder of folders called train makes the others splits; else they are classes."""
    entries = _sorted(root)
    folders = {entry.name: Path(entry.path) for entry in entries if not walk.refusal(entry) and _is_folder(entry)}
    if "train" not in folders or _holds_files_alone(folders["train"]):
        _refuse_splits_without_train(root, folders)
        return {"train": root}
    homes: dict[str, Path] = {}
    for entry in entries:
        split = SPLIT_FOLDERS.get(entry.name) if entry.name in folders else None
        if split is not None and split not in homes:
            homes[split] = folders[entry.name]
        else:
            walk.skip(Path(entry.path), split, None, walk.refusal(entry) or _no_split(split))
    return {split: homes[split] for split in ("train", "val", "test") if split in homes}


def _no_split(split: str | None) -> str:
    return "not a split; beside train, only val and test are read" if split is None else f"a second {split} folder"


def _refuse_splits_without_train(root: Path, folders: dict[str, Path]) -> None:
    """Read as classes, test and val would be learnt as labels."""
    if folders and all(name.lower() in SPLIT_WORDS and not _holds_files_alone(folders[name]) for name in folders):
        raise DataError(
            f"{root} has no folder called train beside {', '.join(folders)}; expected {root}/train/<class>/<image>: "
            "rename the training folder to train, or give one folder of class folders"
        )


@dataclass
class _Walk:
    """One walk over the tree, with a list of all that it leaves out."""

    root: Path
    skipped: list[Skipped] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._real_root = _real(self.root)

    def classes(self, home: Path, split: str) -> dict[str, list[FoundFile]]:
        """Files of each class folder of a split that holds at least one."""
        found = {}
        for entry in self._entries(home, split, None):
            path = Path(entry.path)
            if reason := self.refusal(entry) or ("" if _is_folder(entry) else "a file outside the class folders"):
                self.skip(path, split, None, reason)
            elif files := self._files(path, home, split, entry.name):
                found[entry.name] = files
            else:
                self.skip(path, split, entry.name, "a class folder without files")
        return found

    def kept(
        self, kinds: dict[str, list[FoundFile]], wanted: Sequence[str], home: Path, split: str, why_not: str
    ) -> tuple[FoundFile, ...]:
        """Files of the wanted classes; each other class is noted."""
        for name in sorted(kinds.keys() - set(wanted)):
            self.skip(home / name, split, name, f"{why_not} ({len(kinds[name])} files)")
        files = tuple(file for name in wanted for file in kinds.get(name, []))
        if not files:
            self.skip(home, split, None, "a split without files of the classes of train")
        return files

    def skip(self, path: Path, split: str | None, label_name: str | None, reason: str) -> None:
        """Note what is left out."""
        self.skipped.append(Skipped(relative(path, self.root), split, label_name, reason))

    def refusal(self, entry: os.DirEntry[str]) -> str:
        """Why an entry is left out without a look inside; empty when it is not."""
        if entry.name.startswith("."):
            return "hidden: its name begins with a dot; rename it to use it"
        if entry.is_symlink() and (reason := self._refusal_of_link(Path(entry.path))):
            return reason
        if not _is_folder(entry) and not os.path.isfile(entry.path):  # noqa: PTH113 - Path.is_file raises on odd links
            return "not a regular file"
        if not os.access(entry.path, os.R_OK | (os.X_OK if _is_folder(entry) else 0)):
            return "permission denied"
        return ""

    def _refusal_of_link(self, link: Path) -> str:
        real, home = _real(link), _real(link.parent)
        if not real.exists():
            return "a link that leads nowhere"
        if real == home or real in home.parents:
            return "a link to a folder around it"
        return "" if self._real_root in real.parents else "a link that leaves the folder"

    def _files(self, top: Path, home: Path, split: str, label_name: str) -> list[FoundFile]:
        """All files below a class folder, each folder once, whatever links to it; links wait for real folders."""
        files, seen, waiting = [], set(), deque([top])
        while waiting:
            folder = waiting.pop()
            if (real := _real(folder)) in seen:
                self.skip(folder, split, label_name, "a link to a folder that is read already")
                continue
            seen.add(real)
            for entry in self._entries(folder, split, label_name):
                path = Path(entry.path)
                if reason := self.refusal(entry):
                    self.skip(path, split, label_name, reason)
                elif not _is_folder(entry):
                    files.append(FoundFile(path, split, label_name, path.relative_to(home).as_posix()))
                elif entry.is_symlink():
                    waiting.appendleft(path)
                else:
                    waiting.append(path)
        return sorted(files, key=lambda file: file.name)

    def _entries(self, folder: Path, split: str, label_name: str | None) -> list[os.DirEntry[str]]:
        try:
            return _sorted(folder)
        except OSError as error:
            self.skip(folder, split, label_name, error.strerror or "cannot be read")
            return []


def _sorted(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return os.path.isdir(entry.path)  # noqa: PTH112 - unlike the entry's own is_dir, false for a link to itself


def _holds_files_alone(folder: Path) -> bool:
    """Whether files lie directly in a folder and no folders do: then it is a class, not a split."""
    entries = [entry for entry in _sorted(folder) if not entry.name.startswith(".")]
    return bool(entries) and not any(_is_folder(entry) for entry in entries)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))  # unlike Path.resolve, it does not raise on a link to itself
