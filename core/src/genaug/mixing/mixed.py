"""The mixed set of a run: the real images as they were read, the accepted candidates, and what could not be made."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genaug.data.folder import LoadedFolder
from genaug.mixing.apply import overall_score
from genaug.mixing.candidate import Candidate


@dataclass(frozen=True)
class MixedArrays:
    """A mixed set as arrays, the synthetic images in the order of candidates.

    real_images: uint8 [N, H, W, C]. real_labels: int64 [N]. synthetic_images: uint8 [S, H, W, C]. synthetic_labels:
    int64 [S]. scores: float64 [S], the lowest score of each synthetic image, in [0, 1]. sources: int64 [S], the
    training row that each most likely comes from.
    """

    real_images: NDArray[np.uint8]
    real_labels: NDArray[np.int64]
    synthetic_images: NDArray[np.uint8]
    synthetic_labels: NDArray[np.int64]
    scores: NDArray[np.float64]
    sources: NDArray[np.int64]

    @property
    def images(self) -> NDArray[np.uint8]:
        """The real images, then the synthetic ones: uint8 [N + S, H, W, C]."""
        return np.concatenate([self.real_images, self.synthetic_images])

    @property
    def labels(self) -> NDArray[np.int64]:
        """The labels of `images`, int64 [N + S]."""
        return np.concatenate([self.real_labels, self.synthetic_labels])


@dataclass(frozen=True)
class MixedSet:
    """Real and synthetic training images of one run.

    synthetic: the candidates that are used. rejected: those that are not, each with its selector and reason.
    plan: {class: new images requested}. failures: {class: why it got no synthetic images}. shortfall: {class: images
    that are missing from the plan}. record: what decided the bytes of the run, as it is written.
    """

    loaded: LoadedFolder
    synthetic: tuple[Candidate, ...]
    rejected: tuple[Candidate, ...]
    plan: dict[str, int]
    failures: dict[str, str]
    shortfall: dict[str, int]
    record: dict[str, Any]

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names in label order."""
        return self.loaded.spec.classes

    @property
    def _labels(self) -> NDArray[np.int64]:
        return np.array([one.label for one in self.synthetic], dtype=np.int64)

    def arrays(self) -> MixedArrays:
        """The pixels, labels, scores and sources of the set, stacked."""
        train, synthetic = self.loaded.train, self.synthetic
        none = np.empty((0, *train.images.shape[1:]), np.uint8)
        return MixedArrays(
            real_images=train.images,
            real_labels=train.labels,
            synthetic_images=np.stack([one.pixels for one in synthetic]) if synthetic else none,
            synthetic_labels=self._labels,
            scores=np.array([overall_score(one.scores) for one in synthetic], dtype=np.float64),
            sources=np.array([one.source for one in synthetic], dtype=np.int64),
        )

    def rejections(self) -> dict[str, dict[str, int]]:
        """{class: {selector: candidates that it rejected}}; only classes with rejections."""
        counts: dict[str, dict[str, int]] = {}
        for one in self.rejected:
            by_selector = counts.setdefault(self.classes[one.label], {})
            by_selector[one.rejected_by] = by_selector.get(one.rejected_by, 0) + 1
        return counts

    def fills(self) -> list[tuple[str, int, int, int, int]]:
        """(class, images requested, accepted, filled up, missing) for classes in which too few were accepted."""
        filled = self.record["filled_up"]
        short = {name: filled.get(name, 0) + self.shortfall.get(name, 0) for name in self.plan}
        return [
            (name, self.plan[name], self.plan[name] - count, filled.get(name, 0), self.shortfall.get(name, 0))
            for name, count in short.items()
            if count
        ]

    def counts(self) -> dict[str, dict[str, int]]:
        """{class: {"real": images, "synthetic": images}} of the training split."""
        synthetic = np.bincount(self._labels, minlength=len(self.classes)).tolist()
        rows = zip(self.classes, self.loaded.spec.counts, synthetic, strict=True)
        return {name: {"real": real, "synthetic": count} for name, real, count in rows}
