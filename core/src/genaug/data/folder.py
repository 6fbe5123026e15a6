"""Reads an image folder once, in parallel, into memory at the size at which models work."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from genaug.data.decode import ImageFacts, UnreadableError, decode, quiet, read_facts
from genaug.data.duplicates import Vectors, pixel_hash, thumbnail
from genaug.data.resize import choose_policy, choose_size, resize, sentence
from genaug.data.scan import FoundFile, Scan, Skipped, scan
from genaug.data.split import TrainSplit
from genaug.errors import DataError
from genaug.spec import ImageSpec

Result = TypeVar("Result")


@dataclass(frozen=True)
class LabelledImages:
    """One split in memory, in the order of its labels and names.

    images: uint8 [N, H, W, C] at the model size. labels: int64 [N]. names: relative to the split's folder. sha256: of
    each file's bytes. hashes: of the decoded pixels at their own size. thumbnails: float32 [N, 768].
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    names: tuple[str, ...]
    paths: tuple[Path, ...]
    sha256: tuple[str, ...]
    hashes: tuple[str, ...]
    thumbnails: Vectors
    facts: tuple[ImageFacts, ...]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class LoadedFolder:
    """A folder in memory. skipped: all that was left out. resize: the policy used. notes: sentences for people."""

    scan: Scan
    splits: dict[str, LabelledImages]
    skipped: tuple[Skipped, ...]
    spec: ImageSpec
    resize: str
    notes: tuple[str, ...]

    @cached_property
    def train(self) -> TrainSplit:
        """The only part that anything may be fitted on."""
        images = self.splits["train"]
        return TrainSplit.ordered(self.spec, images.images, images.labels, images.names, images.hashes)


@dataclass(frozen=True)
class _Read:
    """One decoded file, small."""

    pixels: NDArray[np.uint8]
    sha256: str
    hash: str
    thumbnail: Vectors
    facts: ImageFacts


def load_folder(
    folder: Path,
    *,
    classes: Sequence[str] | None = None,
    size: tuple[int, int] | None = None,
    resize: str = "auto",
) -> LoadedFolder:
    """Read every image of a folder; size is (height, width), chosen from the data when left out, as is the policy.

    Raises DataError when there is nothing to train on, UsageError for an unknown class.
    """
    return load_scan(scan(folder, classes), size=size, policy=resize)


def load_scan(found: Scan, *, size: tuple[int, int] | None, policy: str) -> LoadedFolder:
    """As load_folder, for files that were found already. Headers first, for size and colour; then each file once."""
    skipped = list(found.skipped)
    with quiet():
        headed = _each(found, read_facts, skipped)
        sizes, channels = _demands(headed.get("train", []), found.root)
        height, width = size or choose_size(sizes)
        policy = choose_policy(sizes, height, width) if policy == "auto" else policy
        ImageSpec(channels, height, width, ("size",), (1,))  # refuses a bad size before any image is decoded
        read = partial(_read, height=height, width=width, channels=channels, policy=policy)
        pairs = _each(_only(found, headed), read, skipped)
    kept = _classes_left(pairs["train"], found, skipped)
    splits = {split: _labelled(files, kept) for split, files in pairs.items()}
    counts = np.bincount(splits["train"].labels, minlength=len(kept))
    spec = ImageSpec(channels, height, width, kept, tuple(int(count) for count in counts))
    notes = (sentence(sizes, height, width, policy), *_notes(splits))
    return LoadedFolder(found, splits, tuple(skipped), spec, policy, notes)


def _each(
    found: Scan, read: Callable[[Path], Result], skipped: list[Skipped]
) -> dict[str, list[tuple[FoundFile, Result]]]:
    """Read all files of all splits in threads (Pillow lets go of the interpreter); what fails is noted as skipped."""
    files = [file for split in found.splits.values() for file in split]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(partial(_tried, read), files))
    pairs: dict[str, list[tuple[FoundFile, Result]]] = {split: [] for split in found.splits}
    for file, (result, reason) in zip(files, results, strict=True):
        if result is not None:
            pairs[file.split].append((file, result))
        else:
            path = Path(os.path.relpath(file.path, found.root)).as_posix()
            skipped.append(Skipped(path, file.split, file.label_name, reason))
    return pairs


def _tried(read: Callable[[Path], Result], file: FoundFile) -> tuple[Result | None, str]:
    try:
        return read(file.path), ""
    except UnreadableError as error:
        return None, str(error)


def _read(path: Path, *, height: int, width: int, channels: int, policy: str) -> _Read:
    decoded = decode(path)
    return _Read(
        pixels=resize(decoded.pixels, height, width, channels, policy),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        hash=pixel_hash(decoded.pixels, channels),
        thumbnail=thumbnail(decoded.pixels),
        facts=decoded.facts,
    )


def _demands(headed: list[tuple[FoundFile, ImageFacts]], root: Path) -> tuple[list[tuple[int, int]], int]:
    """Sizes of the training images, and their channels: one only if all of them are grey."""
    if not headed:
        raise DataError(f"no file in {root} can be read as an image; see: genaug inspect {root}")
    sizes = [(facts.width, facts.height) for _, facts in headed]
    return sizes, 1 if all(facts.grey for _, facts in headed) else 3


def _only(found: Scan, headed: dict[str, list[tuple[FoundFile, ImageFacts]]]) -> Scan:
    splits = {split: tuple(file for file, _ in files) for split, files in headed.items()}
    return Scan(found.root, splits, found.folder_names, found.classes, ())


def _classes_left(train: list[tuple[FoundFile, _Read]], found: Scan, skipped: list[Skipped]) -> tuple[str, ...]:
    """Classes with at least one readable image; one whose every image is bad is noted, and none at all is fatal."""
    left = {file.label_name for file, _ in train}
    if not left:
        raise DataError(f"no file in {found.root} can be read as an image; see: genaug inspect {found.root}")
    for name in found.classes:
        if name not in left:
            home = found.folder_names["train"] + "/" if len(found.splits) > 1 else ""
            skipped.append(Skipped(home + name, "train", name, "a class without one readable image"))
    return tuple(name for name in found.classes if name in left)


def _labelled(pairs: list[tuple[FoundFile, _Read]], classes: Sequence[str]) -> LabelledImages:
    labels = {name: label for label, name in enumerate(classes)}
    files = [(file, read) for file, read in pairs if file.label_name in labels]
    return LabelledImages(
        images=np.stack([read.pixels for _, read in files]),
        labels=np.array([labels[file.label_name] for file, _ in files], dtype=np.int64),
        names=tuple(file.name for file, _ in files),
        paths=tuple(file.path for file, _ in files),
        sha256=tuple(read.sha256 for _, read in files),
        hashes=tuple(read.hash for _, read in files),
        thumbnails=np.stack([read.thumbnail for _, read in files]),
        facts=tuple(read.facts for _, read in files),
    )


def _notes(splits: dict[str, LabelledImages]) -> Iterator[str]:
    facts = [fact for images in splits.values() for fact in images.facts]
    if count := sum(fact.alpha for fact in facts):
        yield f"{count} image(s) have transparency, which is dropped as torchvision's loader drops it"
    if count := sum(fact.rotated for fact in facts):
        yield f"{count} image(s) are turned by their EXIF data here; torchvision's loader does not turn them"
    if count := sum(fact.format == "GIF" for fact in facts):
        yield f"{count} GIF file(s): the first frame is used"
