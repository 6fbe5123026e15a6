"""How long the classifiers of a study train: doubled until training without synthetic images stops gaining."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from genaug.chance import derive
from genaug.config import changed
from genaug.data.split import TrainSplit
from genaug.errors import DataError
from genaug.executors import Report
from genaug.features import part_of
from genaug.studies.arms import Arm
from genaug.studies.question import DEFAULT_STEPS, Question
from genaug.studies.scores import balanced_accuracy
from genaug.studies.scoring import Scoring, read_predictions, score_all
from genaug.studies.splits import Fold, split_folds

ARM = Arm(classical=True, balanced=True)
SHORTEST, LONGEST = 400, 3200
_GAIN = 0.005  # in balanced accuracy
_PARTS = (
    4,
    3,
    2,
)  # into how many parts the images are divided, as many as they allow; two of them are held out in turn
_SEEDS = 1


@dataclass(frozen=True)
class Length:
    """The steps of every classifier of a study. curve: balanced accuracy by steps; empty where none was measured."""

    steps: int
    curve: tuple[tuple[int, float], ...] = ()

    @property
    def sentence(self) -> str:
        """How the length was found."""
        if not self.curve:
            return f"Every classifier is trained for {self.steps:,} steps."
        points = ", ".join(f"{value:.3f} after {steps:,}" for steps, value in self.curve)
        return (
            f"Every classifier is trained for {self.steps:,} steps. On held-out training images, '{ARM.name}' reached "
            f"a balanced accuracy of {points} steps."
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        points = [{"steps": steps, "balanced_accuracy": value} for steps, value in self.curve]
        return {"steps": self.steps, "arm": ARM.name, "curve": points, "sentence": self.sentence}


def choose_length(question: Question, scoring: Scoring, workers: int, report: Report) -> Length:
    """The length at which `ARM` stops gaining half a point from twice as many steps.

    Steps that the settings fix are kept. scoring: of one split; only its training images are used, and parts of them
    are held out in turn.
    """
    if question.settings.steps is not None:
        return Length(question.settings.steps)
    inner = _inner_folds(scoring.train, derive(question.seed, "length of a study"))
    if not inner:
        return Length(DEFAULT_STEPS)
    curve = [(SHORTEST, _measured(scoring, inner, SHORTEST, workers, report))]
    while (steps := curve[-1][0] * 2) <= LONGEST:
        curve.append((steps, _measured(scoring, inner, steps, workers, report)))
        if curve[-1][1] < curve[-2][1] + _GAIN:
            return Length(curve[-2][0], tuple(curve))
    return Length(curve[-1][0], tuple(curve))


def with_length(question: Question, steps: int) -> Question:
    """The same question with classifiers of this length."""
    return replace(question, settings=changed(question.settings, {"steps": steps}, "the study"))


def _inner_folds(train: TrainSplit, seed: int) -> Sequence[Fold]:
    """Two folds of the training images; none if every class has a single image, apart from near-duplicates."""
    for parts in _PARTS:
        try:
            return tuple(split_folds(train, folds=parts, repeats=1, seed=seed))[:2]
        except DataError:
            continue
    return ()


def _measured(scoring: Scoring, folds: Sequence[Fold], steps: int, workers: int, report: Report) -> float:
    """Balanced accuracy on all held-out images together."""
    tasks = [_task(scoring, fold, steps) for fold in folds]
    score_all(tasks, workers, report)
    labels = np.concatenate([scoring.train.labels[fold.held_out] for fold in folds])
    return balanced_accuracy(labels, np.concatenate([read_predictions(task, ARM)[0] for task in tasks]))


def _task(scoring: Scoring, fold: Fold, steps: int) -> Scoring:
    return replace(
        scoring,
        title=f"length of training, {steps} steps",
        train=part_of(scoring.train, fold.train),
        images=scoring.train.images[fold.held_out],
        arms=(ARM,),
        synthetic={},
        probed=None,
        classifier=replace(scoring.classifier, steps=steps),
        seeds=_SEEDS,
        seed=derive(scoring.seed, "length of a study", fold.number),
    )
