"""A whole study: split after split, each made and scored apart, resumed where it stopped, summed up at the end."""

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from genaug.chance import derive
from genaug.executors import Report
from genaug.mixing.output import OutputFolder
from genaug.storage import locked, write_json
from genaug.study.budget import Budget
from genaug.study.making import Making, make_all
from genaug.study.outcome import Guessed, Outcome
from genaug.study.question import FORMAT, Question
from genaug.study.scoring import Scoring, read_guesses, score_all
from genaug.study.splits import Fold, halves
from genaug.study.summary import summary
from genaug.study.trial import Trial, trial

RESULT = "study.json"


def study(
    question: Question,
    out: Path,
    *,
    workers: int = 1,
    budget: float | None = None,
    report: Report | None = None,
) -> dict[str, Any]:
    """Do the splits that are not done, and write OUT/study.json, whose values it returns.

    budget: seconds in which to end; at least one round of splits is done, and only splits done are summed up.
    Raises UsageError, DataError, OutputError, TrainingError or PluginError; what was done is kept.
    """
    output = OutputFolder(out)
    output.check(question.loaded.scan.root, question.request())
    question.check()
    with locked(output.own):
        output.claim(question.request())
        return _Study(question, output, workers, Budget(budget), report or _silent).run()


class _Study:
    """A study on its way."""

    def __init__(self, question: Question, output: OutputFolder, workers: int, budget: Budget, report: Report) -> None:
        self._question, self._output, self._workers = question, output, workers
        self._budget, self._report = budget, report

    def run(self) -> dict[str, Any]:
        """Round after round until the time is up, all at once where there is time without end; then the sums."""
        done: list[Fold] = []
        folds = self._question.folds
        size = self._workers if self._budget.limited else len(folds)
        for first in range(0, len(folds), size):
            some = folds[first : first + size]
            fresh = any(not self._scored(fold) for fold in some)
            if fresh and done and not self._budget.allows(trial=self._has_test):
                break
            with self._budget.round(len(some), counts=fresh):
                self._do(some)
            done += some
        return self._sum_up(done)

    @property
    def _has_test(self) -> bool:
        return "test" in self._question.loaded.splits

    def _do(self, folds: Sequence[Fold]) -> None:
        tasks = [self._scoring(fold) for fold in folds]
        make_all([making for task in tasks for making in task.makings.values()], self._workers, self._report)
        score_all(tasks, self._workers, self._report)

    def _scored(self, fold: Fold) -> bool:
        task = self._scoring(fold)
        return all(len(read_guesses(task, arm)) == task.seeds for arm in task.arms)

    def _scoring(self, fold: Fold) -> Scoring:
        question, wish = self._question, self._question.settings
        folder = self._output.own / "splits" / fold.title
        part = question.seen(fold)
        opinions = any(arm.recipe.soft_labels > 0 for arm in question.arms)
        return Scoring(
            title=f"split {fold.title}",
            train=part.train,
            images=question.loaded.train.images[fold.held_out],
            arms=question.arms,
            makings={
                name: Making(part, config, question.versions[name], opinions, folder)
                for name, config in question.runs.items()
            },
            asked=question.asked,
            classical=wish.classical,
            seeds=wish.seeds,
            seed=derive(question.seed, "split", fold.repeat, fold.number),
            version=version("genaug"),
            folder=folder,
        )

    def _sum_up(self, done: Sequence[Fold]) -> dict[str, Any]:
        question = self._question
        outcome = self._outcome(done)
        spec, planned = question.loaded.spec, len(question.folds)
        record = self._facts(outcome, planned) | summary(outcome, spec.classes, spec.counts, planned)
        record["test"] = self._tested(outcome)
        record["cost"] = {"seconds": self._budget.spent(), "seconds_per_split": self._budget.pace()}
        write_json(self._output.path / RESULT, record)
        return record

    def _outcome(self, done: Sequence[Fold]) -> Outcome:
        question = self._question
        labels, half = question.loaded.train.labels, halves(question.loaded.train, question.seed)
        tasks = [self._scoring(fold) for fold in done]
        splits = tuple(
            Guessed(
                labels[fold.held_out],
                half[fold.held_out],
                tuple(tuple(read_guesses(task, arm)) for arm in task.arms),
            )
            for fold, task in zip(done, tasks, strict=True)
        )
        share = float(np.mean([len(fold.held_out) / len(labels) for fold in done]))
        return Outcome(question.arms, len(question.loaded.spec.classes), splits, share)

    def _facts(self, outcome: Outcome, planned: int) -> dict[str, Any]:
        question, wish = self._question, self._question.settings
        spec = question.loaded.spec
        return {
            "format": FORMAT,
            "genaug": version("genaug"),
            "data": {
                "classes": list(spec.classes),
                "counts": list(spec.counts),
                "size": [spec.height, spec.width],
                "images": spec.images,
            },
            "generators": list(question.runs),
            "classifier": wish.classifier,
            "steps": wish.steps,
            "seeds": wish.seeds,
            "splits": {
                "folds": wish.folds,
                "repeats": wish.repeats,
                "done": len(outcome.splits),
                "planned": planned,
                "held_out_share": outcome.held_out_share,
            },
        }

    def _tested(self, outcome: Outcome) -> dict[str, Any] | None:
        """The test split, once, at the end."""
        if not self._has_test:
            return None
        question = self._question
        whole = replace(
            self._scoring(question.folds[0]),
            title="test split",
            train=question.loaded.train,
            images=question.loaded.splits["test"].images,
        )
        task = Trial(question.loaded, whole, self._output.own / "test")
        return trial(task, outcome, self._workers, self._report)


def _silent(message: Any) -> None:
    """Report to nobody."""
