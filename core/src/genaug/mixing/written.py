"""The training images of a mixed set with the pixels that are written, read or made when they are asked for."""

from collections.abc import Sequence
from functools import cached_property
from typing import overload

import numpy as np
from numpy.typing import NDArray

from genaug.mixing.mixed import MixedSet

Pixels = NDArray[np.uint8]


class WrittenImages(Sequence[Pixels]):
    """The real training images in the order of the training split, then the synthetic ones: uint8 [H, W, C] each.

    Nothing is kept in memory: real images are read from their files, synthetic ones brought to their size.
    first: the index of the first image of the sequence among these.
    """

    def __init__(self, mixed: MixedSet, first: int = 0) -> None:
        self._mixed, self._first = mixed, first

    def synthetic(self) -> "WrittenImages":
        """The synthetic images alone."""
        return WrittenImages(self._mixed, len(self._places))

    def __len__(self) -> int:
        return len(self._places) + len(self._mixed.synthetic) - self._first

    @overload
    def __getitem__(self, index: int) -> Pixels: ...

    @overload
    def __getitem__(self, index: slice) -> list[Pixels]: ...

    def __getitem__(self, index: int | slice) -> Pixels | list[Pixels]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place = range(self._first, self._first + len(self))[index]
        resolution = self._mixed.resolution
        if place < len(self._places):
            return resolution.real_pixels(self._mixed.loaded.splits["train"], self._places[place])
        return resolution.pixels(self._mixed.synthetic[place - len(self._places)])

    @cached_property
    def _places(self) -> list[int]:
        """The place among the images that were read of each row of the training split."""
        loaded = self._mixed.loaded
        by_name = {name: place for place, name in enumerate(loaded.splits["train"].names)}
        return [by_name[name] for name in loaded.train.names]
