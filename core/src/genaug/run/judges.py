"""The classifiers that judge a job's images: the one place where they are trained and asked for probabilities."""

from pathlib import Path

import torch
from torch import Tensor

from genaug.executors import Report, silent
from genaug.features import CrossFit, cross_fit
from genaug.mixing.mixed import MixedArrays
from genaug.run.job import Job

_FOLDER = "judges"


def judges_of(job: Job, folder: Path, report: Report = silent) -> CrossFit:
    """The cross-fitted classifiers of a job; those that `folder` already holds are not trained again."""
    config = job.config
    return cross_fit(
        job.loaded.train,
        seed=config.seed,
        steps=config.judge_steps,
        folder=folder / _FOLDER,
        report=report,
    )


def judged_probabilities(job: Job, arrays: MixedArrays, folder: Path) -> Tensor:
    """Class probabilities of the synthetic images, float32 [S, K], by judges that never saw their source images."""
    return judges_of(job, folder).probabilities(arrays.synthetic_images, torch.from_numpy(arrays.sources))
