"""The gate: a quick study before a run; synthetic images are drawn only if the study recommends them.

`genaug run` and `augment` both call `apply_gate` before they draw and `keep_study` when they have written OUT.
"""

from dataclasses import replace
from pathlib import Path

from genaug.executors import Report, silent
from genaug.output.files import STUDY
from genaug.run.job import Job
from genaug.storage import copy_file
from genaug.studies.question import Question
from genaug.studies.settings import StudyConfig
from genaug.studies.study import study

_FOLDER = "gate"
_QUICK = {"folds": 3, "repeats": 1, "seeds": 1, "alone": False}


def apply_gate(job: Job, folder: Path, *, workers: int = 1, report: Report = silent) -> Job:
    """The job as a quick study of three splits recommends it; the job unchanged where its config has no gate.

    folder: where the study is kept, and found again. Its classifiers train for as many steps as the judges. Three
    splits show only large effects: without a clear gain the recommendation is to use no synthetic images.
    """
    if not job.config.gate:
        return job
    steps = job.config.judge_steps
    settings = StudyConfig(**_QUICK, steps=steps, recipes=(job.config.recipe,))
    config = job.config.model_copy(update={"gate": False, "check": False, "recipe": "concatenate"})
    train = job.loaded.only_training_on(frozenset(job.loaded.train.names))  # the test split must not be used here
    question = Question(train, {job.config.generator or job.shares[0].name: config}, settings)
    found = study(question, folder / _FOLDER, workers=workers, report=report)
    advice = found["recommendation"]
    answer = {
        "arm": advice["arm"],
        "synthetic": advice["synthetic"],
        "recommendation": advice["sentence"],
        "study": found["headline"]["sentence"],
        "certainty": found["certainty"],
    }
    return replace(job if advice["synthetic"] else job.drawing_nothing(), gate=answer)


def keep_study(job: Job, folder: Path, out: Path) -> None:
    """Copy the result of the gate's study from `folder` to OUT, where there was one."""
    if job.gate is not None:
        copy_file(folder / _FOLDER / STUDY, out / STUDY)
