"""The properties of the training images that a model must fit: channels, size, classes and images per class."""

from dataclasses import dataclass

from genaug.errors import DataError, UsageError

__all__ = ["ImageSpec"]

SMALLEST_SIDE = 16
LARGEST_SIDE = 1024
SIDE_STEP = 8


def check_side(side: int) -> None:
    """Raise UsageError for a height or width that models do not support."""
    if side % SIDE_STEP or not SMALLEST_SIDE <= side <= LARGEST_SIDE:
        raise UsageError(f"model sizes are multiples of {SIDE_STEP} in [{SMALLEST_SIDE}, {LARGEST_SIDE}], got {side}")


@dataclass(frozen=True)
class ImageSpec:
    """The properties of a training set. Does not import torch, so that presets are computed from it quickly.

    channels: 1 or 3. height, width: model size in pixels, multiples of 8 in [16, 1024]. classes: class names in
    label order. counts: number of training images of each class, in the same order. Raises DataError or UsageError
    otherwise.
    """

    channels: int
    height: int
    width: int
    classes: tuple[str, ...]
    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.channels not in (1, 3):
            raise DataError(f"images must have 1 or 3 channels, got {self.channels}")
        for side in (self.height, self.width):
            check_side(side)
        if not self.classes or len(self.classes) != len(self.counts):
            raise DataError(f"expected one count per class, got {len(self.classes)} classes, {len(self.counts)} counts")

    @property
    def images(self) -> int:
        """Number of training images of all classes."""
        return sum(self.counts)

    def only(self, label: int) -> "ImageSpec":
        """The spec of one class alone."""
        return ImageSpec(self.channels, self.height, self.width, (self.classes[label],), (self.counts[label],))
