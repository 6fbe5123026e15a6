"""Describes a loaded folder: its images, odd files, duplicates and leaks, and advice on what to do."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from statistics import median
from typing import Any

import numpy as np

from genaug.data.description import DescribedFolder, DescribedImages
from genaug.data.duplicates import near_pairs
from genaug.data.scan import relative

FEW_IMAGES = 10
IMBALANCED = 10.0
_SPLIT_WORD = re.compile(r"(?:^|[^A-Za-z0-9])(train|training|test|testing|eval|evaluation|val|valid|validation|dev)"
                         r"(?:$|[^A-Za-z0-9])", re.IGNORECASE)  # fmt: skip
_SUFFIXES = {
    "JPEG": {".jpg", ".jpeg", ".jpe", ".jfif"},
    "MPO": {".jpg", ".jpeg", ".mpo"},
    "PNG": {".png"},
    "BMP": {".bmp", ".dib"},
    "GIF": {".gif"},
    "TIFF": {".tif", ".tiff"},
    "WEBP": {".webp"},
    "PPM": {".ppm", ".pgm", ".pbm", ".pnm"},
}


@dataclass(frozen=True)
class Pair:
    """Two duplicate files.

    exact: their pixels are equal, otherwise they are near-duplicates. labels_differ: they are in two classes.
    splits_differ: they are in two splits.
    """

    first: str
    second: str
    exact: bool
    labels_differ: bool
    splits_differ: bool


@dataclass(frozen=True)
class Inspection:
    """The findings of `genaug inspect`, as plain values.

    counts: number of images by split and class. sizes: smallest, median and largest (width, height). modes, formats:
    number of files by Pillow's mode and format. odd: files that are used but need attention, with the reason. skipped:
    files that are not used, with the reason. imbalance: size of the largest class of train over that of its smallest.
    """

    root: str
    counts: dict[str, dict[str, int]]
    sizes: dict[str, tuple[int, int]]
    modes: dict[str, int]
    formats: dict[str, int]
    odd: dict[str, str]
    skipped: dict[str, str]
    duplicates: tuple[Pair, ...]
    imbalance: float
    model_size: tuple[int, int]
    resize: str
    notes: tuple[str, ...]
    advice: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The fields as a dictionary for JSON."""
        return asdict(self)


def inspect_folder(folder: DescribedFolder) -> Inspection:
    """Inspect a folder; writes nothing."""
    facts = [fact for images in folder.splits.values() for fact in images.facts]
    pairs = tuple(_pairs(folder))
    counts = {split: _counts(images, folder.spec.classes) for split, images in folder.splits.items()}
    skipped = {entry.path: entry.reason for entry in folder.skipped}
    odd = {name: "; ".join(reasons) for name, reasons in _odd(folder)}
    return Inspection(
        root=str(folder.scan.root),
        counts=counts,
        sizes=_sizes([(fact.width, fact.height) for fact in facts]),
        modes=dict(Counter(fact.mode for fact in facts).most_common()),
        formats=dict(Counter(fact.format for fact in facts).most_common()),
        odd=odd,
        skipped=skipped,
        duplicates=pairs,
        imbalance=round(max(folder.spec.counts) / min(folder.spec.counts), 2),
        model_size=(folder.spec.height, folder.spec.width),
        resize=folder.resize,
        notes=folder.notes,
        advice=tuple(_advice(folder, counts["train"], pairs)),
    )


def _counts(images: DescribedImages, classes: Sequence[str]) -> dict[str, int]:
    numbers = np.bincount(images.labels, minlength=len(classes))
    return {name: int(number) for name, number in zip(classes, numbers, strict=True)}


def _sizes(sizes: Sequence[tuple[int, int]]) -> dict[str, tuple[int, int]]:
    widths, heights = zip(*sizes, strict=True)
    return {
        "smallest": (min(widths), min(heights)),
        "median": (round(median(widths)), round(median(heights))),
        "largest": (max(widths), max(heights)),
    }


def _odd(folder: DescribedFolder) -> Iterator[tuple[str, list[str]]]:
    common = Counter(fact.mode for images in folder.splits.values() for fact in images.facts).most_common(1)[0][0]
    for images in folder.splits.values():
        for path, fact in zip(images.paths, images.facts, strict=True):
            suffix = path.suffix.lower()
            wrong = suffix not in _SUFFIXES[fact.format]
            reasons = [f"{fact.format} content, but the suffix is {suffix or 'missing'}"] if wrong else []
            reasons += [f"mode {fact.mode}, but most files have {common}"] if fact.mode != common else []
            reasons += [f"{fact.frames} frames, only the first is used"] if fact.frames > 1 else []
            reasons += ["rotated by its EXIF data"] if fact.rotated else []
            reasons += ["transparency, which is dropped"] if fact.alpha else []
            if reasons:
                yield relative(path, folder.scan.root), reasons


def _pairs(folder: DescribedFolder) -> Iterator[Pair]:
    """Duplicates over all splits: each exact copy with the first file that has its pixels, then near-duplicates."""
    splits = list(folder.splits.items())
    paths = [path for _, images in splits for path in images.paths]
    names = [relative(path, folder.scan.root) for path in paths]
    hashes = [value for _, images in splits for value in images.hashes]
    labels = [int(label) for _, images in splits for label in images.labels]
    split_of = [split for split, images in splits for _ in range(len(images))]
    first: dict[str, int] = {}
    exact = [(first.setdefault(value, place), place) for place, value in enumerate(hashes)]
    near = near_pairs(folder.thumbnails)
    found = [(one, two, True) for one, two in exact if one != two]
    found += [(one, two, False) for one, two in near.tolist() if hashes[one] != hashes[two]]
    for one, two, same in found:
        yield Pair(names[one], names[two], same, labels[one] != labels[two], split_of[one] != split_of[two])


def _advice(folder: DescribedFolder, train: dict[str, int], pairs: Sequence[Pair]) -> Iterator[str]:
    yield from _advice_on_pairs(pairs)
    few = [f"{name} ({count})" for name, count in train.items() if count < FEW_IMAGES]
    if few:
        yield (
            f"fewer than {FEW_IMAGES} images in {', '.join(few)}: prefer one model over all classes, and "
            "do not trust scores on such a class"
        )
    if max(train.values()) >= IMBALANCED * min(train.values()):
        yield "strongly imbalanced: compare classifiers by balanced accuracy, and try class-balanced sampling first"
    for name in folder.spec.classes:
        if word := _SPLIT_WORD.search(name):
            yield (
                f"the class name {name!r} contains the word {word[1]!r}, which Hugging Face datasets may mistake for "
                "a split; rename the class"
            )
    names = [name for images in folder.splits.values() for name in images.names]
    if any(len(PurePosixPath(name).parts) > 2 for name in names):  # class/file
        yield (
            "images in folders inside a class folder are moved up into it in the output, because otherwise Hugging "
            "Face's loader loses all labels"
        )
    if any(PurePosixPath(name).suffix.lower() == ".gif" for name in names):
        yield "GIF files become PNG in the output, because torchvision's ImageFolder ignores .gif"
    if folder.skipped:
        yield f"{len(folder.skipped)} file(s) or folder(s) are left out; repair or remove them"
    if "test" not in folder.splits:
        yield (
            "no test split: genaug study compares by cross-validation; some images kept aside would be a final test of "
            "its answer"
        )


def _advice_on_pairs(pairs: Sequence[Pair]) -> Iterator[str]:
    if leaks := sum(pair.splits_differ for pair in pairs):
        yield f"{leaks} pair(s) of duplicates are in two splits: scores on them mean nothing; remove them from train"
    if conflicts := sum(pair.labels_differ for pair in pairs):
        yield f"{conflicts} pair(s) of duplicates are in two classes: decide which label is right"
    if copies := sum(not (pair.splits_differ or pair.labels_differ) for pair in pairs):
        yield f"{copies} pair(s) of duplicates within a class: copies add weight, but no information"
