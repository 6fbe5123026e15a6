"""Chooses the images of a test split; near-duplicates are never on both sides."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genaug.data.description import DescribedFolder
from genaug.data.duplicates import near_groups
from genaug.errors import DataError, UsageError
from genaug.storage import stage_hash


@dataclass(frozen=True)
class TestSplit:
    """Which training images of a folder become test images.

    test: bool [N], in the order of the folder's train. groups: groups of near-duplicates with more than one image.
    without: classes that have no test image, since their images are near-duplicates of each other.
    """

    __test__ = False  # no test case of pytest
    test: NDArray[np.bool_]
    groups: int
    without: tuple[str, ...]


def choose_test_split(folder: DescribedFolder, share: float, seed: int) -> TestSplit:
    """Choose about `share` of the images of each class, in whole groups of near-duplicates.

    Which ones are chosen depends on the pixels and the seed alone, not on names. A class keeps at least half of its
    images for training, and images that are near-duplicates of validation images stay there. Raises UsageError for a
    share outside of (0, 0.5], DataError for a folder that has a test split, or where nothing can be chosen.
    """
    if not 0 < share <= 0.5:
        raise UsageError(f"test: expected a share of the images above 0 and at most 0.5, got {share:g}")
    if "test" in folder.splits:
        raise DataError(f"{folder.scan.root} has a test split already; give a folder without one")
    train, groups = folder.splits["train"], _groups(folder)
    rows = {group: np.flatnonzero(groups == group) for group in np.unique(groups[: len(train)]).tolist()}
    movable = rows.keys() - set(groups[len(train) :].tolist())
    order = sorted(movable, key=lambda group: stage_hash([seed, min(train.hashes[row] for row in rows[group])]))
    test = _chosen([rows[group] for group in order], train.labels, share)
    if not test.any():
        raise DataError(f"no image of {folder.scan.root} can become a test image; add images that are no near-copies")
    chosen = set(train.labels[test].tolist())
    without = tuple(name for label, name in enumerate(folder.spec.classes) if label not in chosen)
    return TestSplit(test, sum(len(found) > 1 for found in rows.values()), without)


def _chosen(groups: Sequence[NDArray[np.int64]], labels: NDArray[np.int64], share: float) -> NDArray[np.bool_]:
    """Bool [N]: the groups that fit, in this order; then, for classes without any, the smallest group that may go."""
    sizes, chosen = Counter(labels.tolist()), Counter[int]()
    test = np.zeros(len(labels), dtype=np.bool_)
    for last, candidates in ((False, groups), (True, sorted(groups, key=len))):
        for rows in candidates:
            counts = Counter(labels[rows].tolist())
            if not test[rows].any() and _fits(counts, chosen, sizes, share, last=last):
                test[rows] = True
                chosen += counts
    return test


def _groups(folder: DescribedFolder) -> NDArray[np.int64]:
    """The group of near-duplicates of each image, those of train first."""
    names = ["train", *(name for name in folder.splits if name != "train")]
    return near_groups(np.concatenate([folder.splits[name].thumbnails for name in names]))


def _fits(counts: Counter[int], chosen: Counter[int], sizes: Counter[int], share: float, *, last: bool) -> bool:
    """Whether a group may become test images. counts: its images by class. last: for a class that has none."""
    if last:
        return all(not chosen[label] and count <= sizes[label] / 2 for label, count in counts.items())
    most = {label: min(max(1, round(share * sizes[label])), sizes[label] // 2) for label in counts}
    return all(chosen[label] + count <= most[label] for label, count in counts.items())
