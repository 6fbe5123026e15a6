"""The classifiers that judge a job's images: trained here; soft labels get their probabilities here too."""

from pathlib import Path

import torch
from torch import Tensor

from genaug.executors import Report, silent
from genaug.features import CrossFit, cross_fit
from genaug.mixing.mixed import MixedArrays
from genaug.output.files import JUDGES
from genaug.run.job import Job


def judges_of(job: Job, folder: Path, report: Report = silent, *, workers: int | None = None) -> CrossFit:
    """The cross-fitted classifiers of a job; those that `folder` already holds are not trained again.

    workers: classifiers that train side by side.
    """
    config = job.config
    return cross_fit(
        job.loaded.train,
        seed=config.seed,
        steps=config.judge_steps,
        folder=folder / JUDGES,
        workers=workers,
        report=report,
    )


def judged_probabilities(job: Job, arrays: MixedArrays, folder: Path) -> Tensor:
    """Class probabilities of the synthetic images, float32 [S, K], by judges that never saw their source images."""
    return judges_of(job, folder).probabilities(arrays.synthetic_images, torch.from_numpy(arrays.sources))
