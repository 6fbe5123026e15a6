"""The only data that anything may be fitted on."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from genaug.spec import ImageSpec


@dataclass(frozen=True)
class TrainSplit:
    """Training images in memory, ordered by (label, hash of pixels): names and folder order do not matter.

    images: uint8 [N, H, W, C]. labels: int64 [N] in [0, K). rows: int64 [N], ids that survive taking a part.
    names: file names relative to the training folder.
    """

    spec: ImageSpec
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    rows: NDArray[np.int64]
    names: tuple[str, ...]

    @classmethod
    def ordered(
        cls,
        spec: ImageSpec,
        images: NDArray[np.uint8],
        labels: NDArray[np.int64],
        names: Sequence[str],
        hashes: Sequence[str],
    ) -> "TrainSplit":
        """A split from images in any order; `hashes` are those of the decoded pixels."""
        order = sorted(range(len(labels)), key=lambda i: (labels[i], hashes[i], names[i]))
        rows = np.arange(len(order), dtype=np.int64)
        return cls(spec, images[order], labels[order], rows, tuple(names[i] for i in order))

    def __len__(self) -> int:
        return len(self.labels)

    def of_class(self, label: int) -> "TrainSplit":
        """The images of one class, as a data set of that class alone (label 0) that keeps its row ids."""
        mine = np.flatnonzero(self.labels == label)
        zeros = np.zeros(len(mine), dtype=np.int64)
        names = tuple(self.names[i] for i in mine)
        return TrainSplit(self.spec.only(label), self.images[mine], zeros, self.rows[mine], names)

    def with_label(self, label: int) -> "TrainSplit":
        """The images of one class, with the label and the classes that they have here."""
        mine = np.flatnonzero(self.labels == label)
        names = tuple(self.names[i] for i in mine)
        return TrainSplit(self.spec, self.images[mine], self.labels[mine], self.rows[mine], names)

    def as_one_class(self) -> "TrainSplit":
        """All images as a data set of one class, which is called all."""
        spec = ImageSpec(self.spec.channels, self.spec.height, self.spec.width, ("all",), (len(self),))
        return TrainSplit(spec, self.images, np.zeros_like(self.labels), self.rows, self.names)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of all that a fit can see: spec, pixels, labels, row ids; 16 hex digits."""
        digest = hashlib.blake2b(repr(self.spec).encode("utf-8", "surrogateescape"), digest_size=8)
        for array in (self.images, self.labels, self.rows):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()
