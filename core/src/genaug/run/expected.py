"""The mixed set that a plan leads to, with real images in place of those that are not drawn yet."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from genaug.mixing.candidate import Candidate
from genaug.mixing.candidate_table import CandidateTable
from genaug.mixing.mixed import MixedSet
from genaug.run.job import Job, Share
from genaug.run.pipeline import resolution_of


def expected_set(job: Job) -> MixedSet:
    """A set with as many images of each class and kind as the plan has, for an estimate of what it costs to measure it.

    Generated images have the sizes that they will have. Pixels say nothing about the images to come.
    """
    return MixedSet(
        loaded=job.loaded,
        synthetic=CandidateTable(one for share in job.all_shares for one in _candidates(share, job)),
        rejected=CandidateTable(),
        plan=job.plan,
        failures={},
        shortfall={},
        resolution=resolution_of(job),
        record={},
    )


class _Turns:
    """The real images of one class, over and over again."""

    def __init__(self, images: NDArray[np.uint8], rows: list[int]) -> None:
        self._images, self._rows = images, rows

    def __getitem__(self, index: int, /) -> NDArray[np.uint8]:
        image: NDArray[np.uint8] = self._images[self._rows[index % len(self._rows)]]
        return image


def _candidates(share: Share, job: Job) -> Iterator[Candidate]:
    """Candidates of one generator; the real images of each class take turns as their parents and pixels."""
    train = job.loaded.train
    for label, name in enumerate(job.classes):
        own = np.flatnonzero(train.labels == label).tolist()
        images = _Turns(train.images, own)
        for index in range(share.plan[name]):
            row = own[index % len(own)]
            yield Candidate(
                images=images,
                label=label,
                generator=share.name,
                index=index,
                model="",
                parents=(row,),
                source=row,
                nearest=row,
                distance=0.0,
                kind=share.kind,
                tops_up=share.tops_up,
            )
