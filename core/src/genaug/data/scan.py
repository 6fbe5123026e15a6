"""Walks an image folder: finds the class and split of every file, and lists what is left out and why."""

import os
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from genaug.errors import DataError, UsageError, unknown
from genaug.storage import real_path

SPLIT_FOLDERS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
SPLIT_WORDS = frozenset({*SPLIT_FOLDERS, "training", "testing", "dev", "eval", "evaluation"})


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file that may be an image. name: posix path relative to the folder of its split, `<class>/sub/a.png`."""

    path: Path
    split: str
    label_name: str
    name: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or folder that is left out. path: posix, relative to DATA. split, label_name: None if outside of any."""

    path: str
    split: str | None
    label_name: str | None
    reason: str


@dataclass(frozen=True)
class Scan:
    """The content of a folder.

    train_root: the folder of the training classes, DATA or DATA/train. splits: files by split (train, val, test), only
    splits that have files. folder_names: the folder name of each split in DATA; train if DATA has no split folders.
    classes: the classes of train, sorted as torchvision's ImageFolder sorts them. skipped: everything left out.
    owner: files in a scratch folder exist as long as this object; None if the files are the user's own.
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

    Raises DataError if the folder does not exist or has no class folders, UsageError for an unknown class.
    """
    root = _existing(folder)
    walk = _Walk(root)
    split_folders = _split_folders(root, walk)
    found = {split: walk.classes(home, split) for split, home in split_folders.items()}
    if not found["train"]:
        raise DataError(_no_classes(split_folders["train"], walk))
    wanted = chosen(classes, found["train"])
    why_not = "train has no image of this class" if classes is None else "not among the chosen classes"
    splits = {
        split: walk.kept(by_class, wanted, split_folders[split], split, why_not) for split, by_class in found.items()
    }
    return Scan(
        root=root,
        train_root=split_folders["train"],
        splits={split: files for split, files in splits.items() if files},
        folder_names={split: home.name if home != root else "train" for split, home in split_folders.items()},
        classes=wanted,
        skipped=tuple(walk.skipped),
    )


def scan_files(folder: Path) -> tuple[list[FoundFile], list[Skipped]]:
    """Every file in a folder and in its folders, by name, and what is left out; folders are no classes here.

    Raises DataError if the folder does not exist or cannot be read.
    """
    walk = _Walk(_existing(folder))
    return walk.files(folder, folder, "", ""), walk.skipped


def chosen(classes: Sequence[str] | None, known: Collection[str]) -> tuple[str, ...]:
    """The classes to use, sorted; None means all known ones. Raises UsageError for unknown classes or an empty list."""
    if classes is not None and not classes:
        raise UsageError("expected at least one class to use, got none; to use all classes, give no list of classes")
    for name in classes or ():
        if name not in known:
            raise unknown("class", name, known)
    return tuple(sorted(known if classes is None else set(classes)))


def relative(path: Path, root: Path) -> str:
    """A path for messages and records: posix, relative to DATA."""
    text, home = str(path), f"{root}{os.sep}"
    inside = text[len(home) :] if text.startswith(home) else os.path.relpath(path, root)
    return inside.replace(os.sep, "/")


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


def _split_folders(root: Path, walk: "_Walk") -> dict[str, Path]:
    """{split: its folder}. Without a folder train that contains folders, all folders of DATA are classes of train."""
    entries = _sorted(root)
    folders = {entry.name: Path(entry.path) for entry in entries if not walk.refusal(entry) and _is_folder(entry)}
    if "train" not in folders or _holds_files_alone(folders["train"]):
        _refuse_splits_without_train(root, folders)
        return {"train": root}
    split_folders: dict[str, Path] = {}
    for entry in entries:
        split = SPLIT_FOLDERS.get(entry.name) if entry.name in folders else None
        if split is not None and split not in split_folders:
            split_folders[split] = folders[entry.name]
        else:
            walk.skip(Path(entry.path), split, None, walk.refusal(entry) or _no_split(split))
    return {split: split_folders[split] for split in ("train", "val", "test") if split in split_folders}


def _no_split(split: str | None) -> str:
    return "not a split; only train, val and test are read" if split is None else f"a second {split} folder"


def _refuse_splits_without_train(root: Path, folders: dict[str, Path]) -> None:
    """Raise DataError if DATA has only split folders but no train; they would be read as classes otherwise."""
    if folders and all(name.lower() in SPLIT_WORDS and not _holds_files_alone(folders[name]) for name in folders):
        raise DataError(
            f"{root} has no folder called train beside {', '.join(folders)}; expected {root}/train/<class>/<image>: "
            "rename the training folder to train, or give one folder of class folders"
        )


@dataclass
class _Walk:
    """One walk over the folder tree; collects everything that is left out."""

    root: Path
    skipped: list[Skipped] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._real_root = real_path(self.root)

    def classes(self, home: Path, split: str) -> dict[str, list[FoundFile]]:
        """{class: files} for the class folders of a split that contain files."""
        found = {}
        for entry in self._entries(home, split, None):
            path = Path(entry.path)
            if reason := self.refusal(entry) or ("" if _is_folder(entry) else "a file outside the class folders"):
                self.skip(path, split, None, reason)
            elif files := self.files(path, home, split, entry.name):
                found[entry.name] = files
            else:
                self.skip(path, split, entry.name, "a class folder without files")
        return found

    def kept(
        self, by_class: dict[str, list[FoundFile]], wanted: Sequence[str], home: Path, split: str, why_not: str
    ) -> tuple[FoundFile, ...]:
        """Files of the wanted classes; every other class is listed as skipped."""
        for name in sorted(by_class.keys() - set(wanted)):
            self.skip(home / name, split, name, f"{why_not} ({len(by_class[name])} files)")
        files = tuple(file for name in wanted for file in by_class.get(name, []))
        if not files:
            self.skip(home, split, None, "a split without files of the classes of train")
        return files

    def skip(self, path: Path, split: str | None, label_name: str | None, reason: str) -> None:
        """Add a path to the list of what is left out."""
        self.skipped.append(Skipped(relative(path, self.root), split, label_name, reason))

    def refusal(self, entry: os.DirEntry[str]) -> str:
        """The reason to leave an entry out before opening it; empty if there is none."""
        if entry.name.startswith("."):
            return "hidden: its name begins with a dot; rename it to use it"
        if entry.is_symlink() and (reason := self._refusal_of_link(Path(entry.path))):
            return reason
        folder = _is_folder(entry)
        if not folder and not entry.is_file():
            return "not a regular file"
        if not os.access(entry.path, os.R_OK | (os.X_OK if folder else 0)):
            return "permission denied"
        return ""

    def _refusal_of_link(self, link: Path) -> str:
        real, home = real_path(link), real_path(link.parent)
        if not real.exists():
            return "a link that leads nowhere"
        if real == home or real in home.parents:
            return "a link to a folder around it"
        return "" if self._real_root in real.parents else "a link that leaves the folder"

    def files(self, top: Path, home: Path, split: str, label_name: str) -> list[FoundFile]:
        """All files below a folder; each folder is read once, even if links lead to it. Links come last."""
        files, seen, waiting = [], set(), deque([top])
        while waiting:
            folder = waiting.pop()
            if (own := _identity(folder)) in seen:
                self.skip(folder, split, label_name, "a link to a folder that was read already")
                continue
            seen.add(own)
            for entry in self._entries(folder, split, label_name):
                path = Path(entry.path)
                if reason := self.refusal(entry):
                    self.skip(path, split, label_name, reason)
                elif not _is_folder(entry):
                    files.append(FoundFile(path, split, label_name, relative(path, home)))
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
    """Whether it is a folder or a link to one; only for a link the system is asked again."""
    if entry.is_symlink():
        return os.path.isdir(entry.path)  # noqa: PTH112 - unlike the entry's own is_dir, false for a link to itself
    return entry.is_dir()


def _holds_files_alone(folder: Path) -> bool:
    """Whether a folder contains files but no folders; then it is a class, not a split."""
    entries = [entry for entry in _sorted(folder) if not entry.name.startswith(".")]
    return bool(entries) and not any(_is_folder(entry) for entry in entries)


def _identity(folder: Path) -> tuple[int, int] | None:
    """What tells a folder from every other, whatever links lead to it; None if it cannot be read."""
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
