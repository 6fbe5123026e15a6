"""A quick study before a run: synthetic images are written only where arms that have them are recommended."""

from dataclasses import replace
from pathlib import Path

from genaug.executors import Report
from genaug.job import Job
from genaug.study.question import Question
from genaug.study.settings import StudyConfig
from genaug.study.study import study

FOLDER = "gate"
_QUICK = {"folds": 3, "repeats": 1, "seeds": 1, "alone": False}


def gated(job: Job, folder: Path, *, workers: int = 1, report: Report | None = None) -> Job:
    """The job as a quick study of three splits recommends it, and what that study said.

    folder: where the study is kept, and found again. Its classifiers train for half the steps of the judges. Three
    splits see large effects alone: without a clear gain the recommendation is to use no synthetic images.
    """
    steps = max(1, job.config.judge_steps // 2)
    settings = StudyConfig(**_QUICK, steps=steps, recipes=(job.config.recipe,))
    config = job.config.model_copy(update={"gate": False, "recipe": "concatenate"})
    train = job.loaded.only_training_on(frozenset(job.loaded.train.names))  # a test split is not for this
    found = study(Question(train, {_name(job): config}, settings), folder, workers=workers, report=report)
    advice = found["recommendation"]
    said = {
        "arm": advice["arm"],
        "synthetic": advice["synthetic"],
        "recommendation": advice["sentence"],
        "study": found["headline"]["sentence"],
        "certainty": found["certainty"],
    }
    return replace(job if advice["synthetic"] else job.drawing_nothing(), gate=said)


def _name(job: Job) -> str:
    return job.config.generator or job.shares[0].name
