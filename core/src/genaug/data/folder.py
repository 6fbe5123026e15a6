"""Reads an image folder into memory, in parallel, at the size at which models work."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genaug.data.description import DescribedFolder, DescribedImages, describe_with_images
from genaug.data.groups import named_groups
from genaug.data.scan import Scan, scan
from genaug.data.split import TrainSplit
from genaug.errors import DataError


@dataclass(frozen=True)
class LabelledImages(DescribedImages):
    """One split in memory. images: uint8 [N, H, W, C] at the model size."""

    images: NDArray[np.uint8]

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
class LoadedFolder(DescribedFolder):
    """A folder in memory: what is known of its images, and their pixels. groups: {file name in a split: group}."""

    splits: Mapping[str, LabelledImages]
    groups: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def train(self) -> TrainSplit:
        """The training split, the only data that anything may be fitted on."""
        images = self.splits["train"]
        groups = [self.groups.get(name, "") for name in images.names] if self.groups else ()
        return TrainSplit.ordered(self.spec, images.images, images.labels, images.names, images.hashes, groups)

    def grouped(self, text: str | None) -> "LoadedFolder":
        """The same images with the groups of a file or a regular expression, see `named_groups`; itself for None."""
        if text is None:
            return self
        names = [name for part in self.splits.values() for name in part.names]
        return replace(self, groups=named_groups(text, names))

    def only_training_on(self, names: Collection[str]) -> "LoadedFolder":
        """A copy with only these training images; it holds no pixel, name or path of any other image.

        names: relative to the training folder; at least one image of each class.
        """
        images = self.splits["train"].take(names)
        counts = np.bincount(images.labels, minlength=len(self.spec.classes))
        files = tuple(file for file in self.scan.splits["train"] if file.name in names)
        found = replace(self.scan, splits={"train": files}, skipped=(), owner=None)
        spec = replace(self.spec, counts=tuple(counts.tolist()))
        kept = {name: self.groups[name] for name in images.names if name in self.groups}
        return LoadedFolder(found, {"train": images}, images.thumbnails, (), spec, self.resize, (), kept)


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
    """Read the files of a scan, as load_folder."""
    described, images = describe_with_images(found, size=size, policy=policy)
    splits = {name: LabelledImages(**vars(part), images=images[name]) for name, part in described.splits.items()}
    return LoadedFolder(**vars(described) | {"splits": splits})
