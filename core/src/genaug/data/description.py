"""Reads every file of an image folder once and keeps what is known of it: hashes, a thumbnail, facts, but no pixels."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from genaug.data.decode import ImageFacts, decode
from genaug.data.duplicates import THUMBNAIL, Vectors, pixel_hash, thumbnail
from genaug.data.headers import Headers, read_headers, refuse_nothing
from genaug.data.reading import read_all
from genaug.data.resize import resize, sentence
from genaug.data.scan import FoundFile, Scan, Skipped, relative, scan
from genaug.spec import ImageSpec

Pixels = NDArray[np.uint8]
Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True)
class DescribedImages:
    """What is known of the images of one split, ordered by label and name.

    labels: int64 [N]. names: paths relative to the split's folder. paths: full paths. sha256: hashes of the files'
    bytes. hashes: hashes of the decoded pixels before resizing. thumbnails: float32 [N, 768]. facts: about each file.
    """

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
class DescribedFolder:
    """What is known of the images of a folder.

    splits: those with readable images, always including train. thumbnails: those of all splits, one after another;
    each split's are a part of them. skipped: everything that was left out. spec: channels, model size, classes and
    number of images per class of train. resize: the policy used. notes: sentences for users.
    """

    scan: Scan
    splits: Mapping[str, DescribedImages]
    thumbnails: Vectors
    skipped: tuple[Skipped, ...]
    spec: ImageSpec
    resize: str
    notes: tuple[str, ...]

    @property
    def left_out(self) -> tuple[str, ...]:
        """One sentence for every skipped file or folder."""
        return tuple(f"left out: {entry.path}: {entry.reason}" for entry in self.skipped)


@dataclass(frozen=True, slots=True)
class _Known:
    """One file that was read. place: its row in the tables."""

    place: int
    file: FoundFile
    sha256: str
    hash: str
    facts: ImageFacts


class _Tables:
    """What is kept of the pixels of each file: its thumbnail, in a row of one table."""

    def __init__(self, headers: Headers) -> None:
        self.headers = headers
        self.thumbnails = np.empty((len(headers.files), THUMBNAIL), dtype=np.float32)

    def read(self, place: int, file: FoundFile) -> _Known:
        """Read a file into row `place`; raises UnreadableError."""
        decoded = decode(file.path)
        self.store(place, decoded.pixels)
        return _Known(place, file, decoded.sha256, pixel_hash(decoded.pixels), decoded.facts)

    def store(self, place: int, pixels: Pixels) -> None:
        """Fill a row from pixels uint8 [H, W, C] at the size of the file."""
        self.thumbnails[place] = thumbnail(pixels)

    def keep(self, places: Sequence[int]) -> None:
        """Keep only these rows, which ascend; they move within the table, so that it is never held twice."""
        self.thumbnails = _kept(self.thumbnails, places)


class _ImageTables(_Tables):
    """The same and the pixels at the model size, uint8 [N, H, W, C]."""

    def __init__(self, headers: Headers) -> None:
        super().__init__(headers)
        shape = (len(headers.files), headers.height, headers.width, headers.channels)
        self.images = np.empty(shape, dtype=np.uint8)

    def store(self, place: int, pixels: Pixels) -> None:
        super().store(place, pixels)
        model = self.headers
        self.images[place] = resize(pixels, model.height, model.width, model.channels, model.policy)

    def keep(self, places: Sequence[int]) -> None:
        super().keep(places)
        self.images = _kept(self.images, places)


def describe_folder(
    folder: Path, *, classes: Sequence[str] | None = None, size: tuple[int, int] | None = None
) -> DescribedFolder:
    """Describe the images of a folder as `load_folder` reads them, without keeping the pixels of any."""
    found = scan(folder, classes)
    return _described(found, _Tables(read_headers(found, size, "auto")))


def describe_with_images(
    found: Scan, *, size: tuple[int, int] | None, policy: str
) -> tuple[DescribedFolder, dict[str, Pixels]]:
    """Describe the files of a scan, with the pixels of each split, uint8 [N, H, W, C] at the model size.

    Raises DataError if there is nothing to train on, UsageError for a bad size or an unknown policy.
    """
    tables = _ImageTables(read_headers(found, size, policy))
    folder = _described(found, tables)
    images, start = {}, 0
    for split, part in folder.splits.items():
        images[split] = tables.images[start : start + len(part)]
        start += len(part)
    return folder, images


def _described(found: Scan, tables: _Tables) -> DescribedFolder:
    """Read each file whole, once; the headers of all are known, because they decide size and colour."""
    headers = tables.headers
    pairs, damaged = read_all(headers.files, tables.read, found.root)
    known, bad = [one for _, one in pairs], [*headers.unreadable, *damaged]
    notes = (sentence(headers.sizes, headers.height, headers.width, headers.policy), *_notes(known))
    classes = _classes_left(known, found, bad)
    labels = {name: label for label, name in enumerate(classes)}
    left_out = _left_out(known, labels, found)
    known = [one for one in known if one.file.label_name in labels]
    tables.keep([one.place for one in known])
    splits = dict(_splits(known, labels, tables.thumbnails))
    counts = np.bincount(splits["train"].labels, minlength=len(classes))
    spec = ImageSpec(headers.channels, headers.height, headers.width, classes, tuple(counts.tolist()))
    skipped = (*found.skipped, *bad, *left_out)
    return DescribedFolder(found, splits, tables.thumbnails, skipped, spec, headers.policy, notes)


def _kept(table: NDArray[Number], places: Sequence[int]) -> NDArray[Number]:
    for row, place in enumerate(places):
        if row != place:
            table[row] = table[place]
    return table[: len(places)]


def _classes_left(known: Sequence[_Known], found: Scan, bad: Sequence[Skipped]) -> tuple[str, ...]:
    """Classes with at least one readable training image; raises DataError if there are none."""
    left = {one.file.label_name for one in known if one.file.split == "train"}
    refuse_nothing(tuple(left), found, bad)
    return tuple(name for name in found.classes if name in left)


def _left_out(known: Sequence[_Known], labels: Mapping[str, int], found: Scan) -> list[Skipped]:
    """The classes without a readable training image, and their readable files of other splits."""
    reason = "train has no readable image of its class"
    files = [one.file for one in known if one.file.label_name not in labels]
    left_out = [Skipped(relative(file.path, found.root), file.split, file.label_name, reason) for file in files]
    for name in found.classes:
        if name not in labels:
            path = relative(found.train_root / name, found.root)
            left_out.append(Skipped(path, "train", name, "a class without one readable image"))
    return left_out


def _splits(
    known: Sequence[_Known], labels: Mapping[str, int], thumbnails: Vectors
) -> Iterator[tuple[str, DescribedImages]]:
    """Each split with its images; `known` is ordered by split, label and name."""
    start = 0
    for split in dict.fromkeys(one.file.split for one in known):
        part = [one for one in known if one.file.split == split]
        images = DescribedImages(
            labels=np.array([labels[one.file.label_name] for one in part], dtype=np.int64),
            names=tuple(one.file.name for one in part),
            paths=tuple(one.file.path for one in part),
            sha256=tuple(one.sha256 for one in part),
            hashes=tuple(one.hash for one in part),
            thumbnails=thumbnails[start : start + len(part)],
            facts=tuple(one.facts for one in part),
        )
        start += len(part)
        yield split, images


def _notes(known: Sequence[_Known]) -> Iterator[str]:
    facts = [one.facts for one in known]
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
