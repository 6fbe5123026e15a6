"""The mixed set of a run: the real images as they were read, the accepted candidates, and what could not be made."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genaug.data.folder import LoadedFolder
from genaug.mixing.apply import overall_score
from genaug.mixing.candidate import Candidate
from genaug.mixing.candidate_table import CandidateTable
from genaug.mixing.resolution import Resolution


@dataclass(frozen=True)
class MixedArrays:
    """A mixed set as arrays, the synthetic images in the order of candidates.

    real_images: uint8 [N, H, W, C]. real_labels: int64 [N]. synthetic_images: uint8 [S, H, W, C]. synthetic_labels:
    int64 [S]. scores: float64 [S], the lowest score of each synthetic image, in [0, 1]. sources: int64 [S], the
    training row that each most likely comes from. tops_up: bool [S], the images that count as real in recipes.
    """

    real_images: NDArray[np.uint8]
    real_labels: NDArray[np.int64]
    synthetic_images: NDArray[np.uint8]
    synthetic_labels: NDArray[np.int64]
    scores: NDArray[np.float64]
    sources: NDArray[np.int64]
    tops_up: NDArray[np.bool_]

    @property
    def images(self) -> NDArray[np.uint8]:
        """The real images, then the synthetic ones: uint8 [N + S, H, W, C]."""
        return np.concatenate([self.real_images, self.synthetic_images])

    @property
    def labels(self) -> NDArray[np.int64]:
        """The labels of `images`, int64 [N + S]."""
        return np.concatenate([self.real_labels, self.synthetic_labels])

    def as_real(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """The images of the real side and their labels: the real images and those that top them up."""
        images = np.concatenate([self.real_images, self.synthetic_images[self.tops_up]])
        return images, np.concatenate([self.real_labels, self.synthetic_labels[self.tops_up]])


@dataclass(frozen=True)
class MixedSet:
    """Real and synthetic training images of one run.

    synthetic: the candidates that are used: those of the generators, then those that top up the real side. rejected:
    those that are not, each with its selector and reason. plan: {class: new images requested of the generators}.
    failures: {class: why it got no images of them}. shortfall: {class: images that are missing from the plan}.
    resolution: the size at which images are written. record: what decided the bytes of the run, as it is written.
    """

    loaded: LoadedFolder
    synthetic: CandidateTable
    rejected: CandidateTable
    plan: dict[str, int]
    failures: dict[str, str]
    shortfall: dict[str, int]
    resolution: Resolution
    record: dict[str, Any]

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names in label order."""
        return self.loaded.spec.classes

    def arrays(self) -> MixedArrays:
        """The set at the model size, stacked: each image as it is written, brought back to that size."""
        train, synthetic = self.loaded.train, self.synthetic
        images = np.empty((len(synthetic), *train.images.shape[1:]), np.uint8)
        for row, one in enumerate(synthetic):
            images[row] = self._at_model_size(one)
        return MixedArrays(
            real_images=train.images,
            real_labels=train.labels,
            synthetic_images=images,
            synthetic_labels=synthetic.labels,
            scores=np.array([overall_score(scores) for scores in synthetic.scores], dtype=np.float64),
            sources=synthetic.sources,
            tops_up=synthetic.tops_up,
        )

    def _at_model_size(self, candidate: Candidate) -> NDArray[np.uint8]:
        return self.resolution.at_model_size(self.resolution.pixels(candidate))

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
        """{class: {"real", "classical", "generated": images}} of the training split."""
        labels, generated, classes = self.synthetic.labels, self.synthetic.generated, self.classes
        numbers = (np.bincount(labels[chosen], minlength=len(classes)).tolist() for chosen in (~generated, generated))
        columns = zip(classes, self.loaded.spec.counts, *numbers, strict=True)
        return {name: {"real": n, "classical": varied, "generated": drawn} for name, n, varied, drawn in columns}
