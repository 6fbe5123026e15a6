"""The training split: the only data that generators, selectors, metrics and classifiers may be fitted on."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from genaug.spec import ImageSpec

__all__ = ["TrainSplit"]


@dataclass(frozen=True)
class TrainSplit:
    """Training images in memory, ordered by (label, hash of pixels), so file names and folder order do not matter.

    images: uint8 [N, H, W, C]. labels: int64 [N] in [0, K). rows: int64 [N], ids of the images; a part of the split
    keeps them. names: file names relative to the training folder. groups: the group that the user names for each image,
    such as a patient, empty for none; an empty tuple where no groups are named.
    """

    spec: ImageSpec
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    rows: NDArray[np.int64]
    names: tuple[str, ...]
    groups: tuple[str, ...] = ()

    @classmethod
    def ordered(
        cls,
        spec: ImageSpec,
        images: NDArray[np.uint8],
        labels: NDArray[np.int64],
        names: Sequence[str],
        hashes: Sequence[str],
        groups: Sequence[str] = (),
    ) -> "TrainSplit":
        """A split of images given in any order; `hashes` are the hashes of their decoded pixels."""
        order = sorted(range(len(labels)), key=lambda i: (labels[i], hashes[i], names[i]))
        rows = np.arange(len(order), dtype=np.int64)
        ordered = tuple(groups[i] for i in order) if groups else ()
        return cls(spec, images[order], labels[order], rows, tuple(names[i] for i in order), ordered)

    def __len__(self) -> int:
        return len(self.labels)

    def of_class(self, label: int) -> "TrainSplit":
        """The images of one class, as a split of that class alone (label 0); row ids stay the same."""
        found = self.with_label(label)
        return replace(found, spec=self.spec.only(label), labels=np.zeros_like(found.labels))

    def with_label(self, label: int) -> "TrainSplit":
        """The images of one class; their label, the list of classes and row ids stay the same."""
        mine = np.flatnonzero(self.labels == label)
        names, groups = (tuple(values[i] for i in mine if values) for values in (self.names, self.groups))
        return TrainSplit(self.spec, self.images[mine], self.labels[mine], self.rows[mine], names, groups)

    def as_one_class(self) -> "TrainSplit":
        """All images as a split of one class named all."""
        spec = ImageSpec(self.spec.channels, self.spec.height, self.spec.width, ("all",), (len(self),))
        return replace(self, spec=spec, labels=np.zeros_like(self.labels))

    @cached_property
    def fingerprint(self) -> str:
        """A hash of everything that decides a fit: spec, pixels, labels, row ids and groups; 16 hex digits."""
        digest = hashlib.blake2b(repr(self.spec).encode("utf-8", "surrogateescape"), digest_size=8)
        for array in (self.images, self.labels, self.rows):
            digest.update(np.ascontiguousarray(array).tobytes())
        if self.groups:
            digest.update("\x1f".join(self.groups).encode("utf-8", "surrogateescape"))
        return digest.hexdigest()
