"""Reads an image folder into memory, in parallel, at the size at which models work."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genaug.data.decode import ImageFacts, decode, read_facts
from genaug.data.duplicates import Vectors, pixel_hash, thumbnail
from genaug.data.reading import read_all
from genaug.data.resize import POLICIES, choose_policy, choose_size, resize, sentence
from genaug.data.scan import FoundFile, Scan, Skipped, relative, scan
from genaug.data.split import TrainSplit
from genaug.errors import DataError, unknown
from genaug.spec import ImageSpec


@dataclass(frozen=True)
class LabelledImages:
    """One split in memory, ordered by label and name.

    images: uint8 [N, H, W, C] at the model size. labels: int64 [N]. names: paths relative to the split's folder. paths:
    full paths. sha256: hashes of the files' bytes. hashes: hashes of the decoded pixels before resizing. thumbnails:
    float32 [N, 768]. facts: about each file.
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

    def file_bytes(self, row: int) -> bytes:
        """The bytes of a file as they were when it was read; raises DataError if it has changed since."""
        path = self.paths[row]
        try:
            data = path.read_bytes() if path.is_file() else b""  # reading a pipe would not end
        except OSError:
            data = b""
        if hashlib.sha256(data).hexdigest() != self.sha256[row]:
            raise changed_meanwhile(path)
        return data

    def take(self, names: Collection[str]) -> "LabelledImages":
        """A copy with only the images of these names, in the same order."""
        rows = [row for row, name in enumerate(self.names) if name in names]
        return LabelledImages(
            images=self.images[rows],
            labels=self.labels[rows],
            names=tuple(self.names[row] for row in rows),
            paths=tuple(self.paths[row] for row in rows),
            sha256=tuple(self.sha256[row] for row in rows),
            hashes=tuple(self.hashes[row] for row in rows),
            thumbnails=self.thumbnails[rows],
            facts=tuple(self.facts[row] for row in rows),
        )


def changed_meanwhile(path: Path) -> DataError:
    """The error for a file of the user that is no longer what was read."""
    return DataError(f"{path} was changed or removed while genaug used it; run the same command again")


@dataclass(frozen=True)
class LoadedFolder:
    """A folder in memory.

    splits: those with readable images, always including train. skipped: everything that was left out. spec: channels,
    model size, classes and number of images per class of train. resize: the policy used. notes: sentences for users.
    """

    scan: Scan
    splits: dict[str, LabelledImages]
    skipped: tuple[Skipped, ...]
    spec: ImageSpec
    resize: str
    notes: tuple[str, ...]

    @property
    def left_out(self) -> tuple[str, ...]:
        """One sentence for every skipped file or folder."""
        return tuple(f"left out: {entry.path}: {entry.reason}" for entry in self.skipped)

    @cached_property
    def train(self) -> TrainSplit:
        """The training split, the only data that anything may be fitted on."""
        images = self.splits["train"]
        return TrainSplit.ordered(self.spec, images.images, images.labels, images.names, images.hashes)

    def only_training_on(self, names: Collection[str]) -> "LoadedFolder":
        """A copy with only these training images; it holds no pixel, name or path of any other image.

        names: relative to the training folder; at least one image of each class.
        """
        images = self.splits["train"].take(names)
        counts = np.bincount(images.labels, minlength=len(self.spec.classes))
        files = tuple(file for file in self.scan.splits["train"] if file.name in names)
        found = replace(self.scan, splits={"train": files}, skipped=(), owner=None)
        spec = replace(self.spec, counts=tuple(counts.tolist()))
        return LoadedFolder(found, {"train": images}, (), spec, self.resize, ())


@dataclass(frozen=True)
class _Read:
    """One decoded file, resized to the model size."""

    pixels: NDArray[np.uint8]
    sha256: str
    hash: str
    thumbnail: Vectors
    facts: ImageFacts


_Pairs = list[tuple[FoundFile, _Read]]


def load_folder(
    folder: Path,
    *,
    classes: Sequence[str] | None = None,
    size: tuple[int, int] | None = None,
    resize: str = "auto",
) -> LoadedFolder:
    """Read every image of a folder.

    classes: classes to use, all if None. size: model size (height, width), chosen from the data if None. resize: fit,
    crop, stretch, or auto to choose from the data. Raises DataError if there is nothing to train on, UsageError for an
    unknown class, a bad size or an unknown policy.
    """
    return load_scan(scan(folder, classes), size=size, policy=resize)


def load_scan(found: Scan, *, size: tuple[int, int] | None, policy: str) -> LoadedFolder:
    """Read the files of a scan, as load_folder: first all headers for size and colour, then each whole file once."""
    files = [file for split in found.splits.values() for file in split]
    headed, bad = read_all(files, read_facts, found.root)
    facts = [fact for file, fact in headed if file.split == "train"]
    _refuse_nothing(facts, found, bad)
    sizes, channels = [(fact.width, fact.height) for fact in facts], 1 if all(fact.grey for fact in facts) else 3
    height, width = size or choose_size(sizes)
    ImageSpec(channels, height, width, ("any",), (1,))  # raises for a bad size before any image is decoded
    if policy not in ("auto", *POLICIES):
        raise unknown("resize", policy, ("auto", *POLICIES))
    policy = choose_policy(sizes, height, width) if policy == "auto" else policy
    read = partial(_read, height=height, width=width, channels=channels, policy=policy)
    pairs, damaged = read_all((file for file, _ in headed), read, found.root)
    classes = _classes_left(pairs, found, [*bad, *damaged])
    left, left_out = _of_classes(pairs, classes, found)
    splits = {split: _labelled(part, classes) for split, part in left.items()}
    counts = np.bincount(splits["train"].labels, minlength=len(classes))
    spec = ImageSpec(channels, height, width, classes, tuple(int(count) for count in counts))
    notes = (sentence(sizes, height, width, policy), *_notes([read.facts for _, read in pairs]))
    return LoadedFolder(found, splits, (*found.skipped, *bad, *damaged, *left_out), spec, policy, notes)


def _read(path: Path, *, height: int, width: int, channels: int, policy: str) -> _Read:
    decoded = decode(path)
    return _Read(
        pixels=resize(decoded.pixels, height, width, channels, policy),
        sha256=decoded.sha256,
        hash=pixel_hash(decoded.pixels),
        thumbnail=thumbnail(decoded.pixels),
        facts=decoded.facts,
    )


def _refuse_nothing(train: Sequence[object], found: Scan, bad: Sequence[Skipped]) -> None:
    if not train:
        example = next((f" ({entry.path}: {entry.reason})" for entry in bad if entry.split == "train"), "")
        raise DataError(
            f"no file of the classes in {found.train_root} can be read as an image{example}; expected at least one "
            "image in a supported format"
        )


def _classes_left(pairs: _Pairs, found: Scan, bad: Sequence[Skipped]) -> tuple[str, ...]:
    """Classes with at least one readable training image; raises DataError if there are none."""
    left = {file.label_name for file, _ in pairs if file.split == "train"}
    _refuse_nothing(tuple(left), found, bad)
    return tuple(name for name in found.classes if name in left)


def _of_classes(pairs: _Pairs, classes: Sequence[str], found: Scan) -> tuple[dict[str, _Pairs], list[Skipped]]:
    """Images of these classes by split, and a list of what is left out with the other classes."""
    splits: dict[str, _Pairs] = {}
    left_out = []
    for file, read in pairs:
        if file.label_name in classes:
            splits.setdefault(file.split, []).append((file, read))
        else:
            reason = "train has no readable image of its class"
            left_out.append(Skipped(relative(file.path, found.root), file.split, file.label_name, reason))
    for name in found.classes:
        if name not in classes:
            path = relative(found.train_root / name, found.root)
            left_out.append(Skipped(path, "train", name, "a class without one readable image"))
    return splits, left_out


def _labelled(pairs: _Pairs, classes: Sequence[str]) -> LabelledImages:
    labels = {name: label for label, name in enumerate(classes)}
    files = sorted(pairs, key=lambda pair: (labels[pair[0].label_name], pair[0].name))
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


def _notes(facts: Sequence[ImageFacts]) -> Iterator[str]:
    grey = sum(fact.grey for fact in facts)
    if 0 < grey < len(facts):
        yield f"{grey} of {len(facts)} images are grey; they are converted to colour like the others"
    if count := sum(fact.alpha for fact in facts):
        yield f"{count} image(s) have transparency, which is dropped, as in torchvision's loader"
    if count := sum(fact.rotated for fact in facts):
        yield f"{count} image(s) are rotated by their EXIF data; torchvision's loader does not rotate them"
    if count := sum(fact.frames > 1 for fact in facts):
        yield f"{count} file(s) contain several frames or pages; only the first is used"
    if count := sum(fact.deep for fact in facts):
        yield f"{count} image(s) have more than 8 bits per pixel; they are scaled to 8 bits"
