"""The images that score the classifiers of a study: training images that are held out in turn, or a test split."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genaug.data.duplicates import near_groups, near_matches
from genaug.data.folder import LoadedFolder
from genaug.data.groups import joined
from genaug.errors import UsageError
from genaug.features import near_groups as groups_of_split
from genaug.studies.splits import halves

LEAST_OF_A_CLASS = 30  # test images of every class that make a test split large enough to replace cross-validation

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class ScoredImages:
    """Images with what is needed to score predictions of them.

    images: uint8 [N, H, W, C]. labels: int64 [N]. groups: int64 [N], the group of near-duplicates of each. left_out:
    the number of test images that are near-duplicates of training images, or of a group of theirs. names: of the files,
    relative to the training folder; those of test images begin with test/.
    """

    images: NDArray[np.uint8]
    labels: Rows
    groups: Rows
    left_out: int = 0
    names: tuple[str, ...] = ()

    @classmethod
    def training(cls, loaded: LoadedFolder) -> "ScoredImages":
        """All training images."""
        train = loaded.train
        return cls(train.images, train.labels, groups_of_split(train), names=train.names)

    @classmethod
    def test(cls, loaded: LoadedFolder) -> "ScoredImages":
        """The images of `unseen`; raises UsageError if there are none."""
        if "test" not in loaded.splits:
            raise UsageError("--on split needs a test split: put images into a folder test/ beside train/")
        found = cls.unseen(loaded)
        if not len(found.labels):
            raise UsageError("--on split needs test images that are no near-duplicates of training images")
        return found

    @classmethod
    def unseen(cls, loaded: LoadedFolder) -> "ScoredImages":
        """The test images that are neither near-duplicates of training images nor of a group of theirs."""
        test = loaded.splits["test"]
        kept = near_matches(test.thumbnails, loaded.splits["train"].thumbnails) < 0
        known = set(loaded.train.groups) - {""}
        groups = [loaded.groups.get(name, "") for name in test.names]
        kept &= np.array([group not in known for group in groups])
        near = near_groups(test.thumbnails[kept])
        left = [group for group, stays in zip(groups, kept, strict=True) if stays]
        numbers = joined(near, left) if any(left) else near
        names = tuple(f"test/{test.names[row]}" for row in np.flatnonzero(kept))
        return cls(test.images[kept], test.labels[kept], numbers, int((~kept).sum()), names)

    def halves(self, seed: int) -> NDArray[np.bool_]:
        """Bool [N]: the half of each image, see `splits.halves`."""
        return halves(self.labels, self.groups, seed)


def large_test_split(loaded: LoadedFolder) -> bool:
    """Whether the test split has enough images of every class to score a study by itself."""
    if "test" not in loaded.splits:
        return False
    counts = np.bincount(loaded.splits["test"].labels, minlength=len(loaded.spec.classes))
    return int(counts.min()) >= LEAST_OF_A_CLASS
