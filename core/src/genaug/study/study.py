"""A whole study: split after split, each made and scored apart, resumed where it stopped, summed up at the end."""

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from genaug.chance import derive
from genaug.data.duplicates import NEAR, nearest
from genaug.errors import GenaugError
from genaug.executors import Report
from genaug.mixing.output import OutputFolder
from genaug.storage import locked, stage_hash, write_json
from genaug.study.budget import Budget
from genaug.study.making import Making, make_all, read_facts
from genaug.study.outcome import Guessed, Outcome
from genaug.study.question import FORMAT, REPEATS, Question
from genaug.study.scoring import Scoring, read_guesses, score_all
from genaug.study.splits import Fold, halves
from genaug.study.summary import summary
from genaug.study.trial import Trial, trial

RESULT = "study.json"
_MOST_REPEATS = 100
_ALL_LEFT_OUT = "The test split was not used: every image in it is a near-duplicate of a training image."
_ROUNDS = 8  # splits for each worker in a round without a budget


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
        key = stage_hash([[arm.to_json() for arm in question.arms], question.asked.key(), workers])
        return _Study(question, output, workers, Budget(budget, output.own / "pace.json", key), report or _silent).run()


class _Study:
    """A study on its way."""

    def __init__(self, question: Question, output: OutputFolder, workers: int, budget: Budget, report: Report) -> None:
        self._question, self._output, self._workers = question, output, workers
        self._budget, self._report = budget, report
        self._open = question.settings.repeats is None and budget.limited
        self._folds = question.folds(question.settings.repeats or (_MOST_REPEATS if self._open else REPEATS))

    def run(self) -> dict[str, Any]:
        """Round after round until the time is up; then the sums, of what was done before an error too."""
        done: list[Fold] = []
        while some := tuple(islice(self._folds, self._size())):
            fresh = [fold for fold in some if not self._scored(fold)]
            if fresh and done and not self._budget.allows(trial=self._has_test):
                return self._sum_up(done, left=len(some))
            try:
                with self._budget.round(len(fresh)):
                    self._do(some)
            except GenaugError:
                if done:
                    self._write(self._summed(done, left=len(some)))
                raise
            done += some
        return self._sum_up(done, left=0)

    def _size(self) -> int:
        """Splits of the next round: one alone where a budget has nothing to go by."""
        if not self._budget.limited:
            return _ROUNDS * self._workers
        return self._workers if self._budget.longest else 1

    @property
    def _has_test(self) -> bool:
        return "test" in self._question.loaded.splits

    def _do(self, folds: Sequence[Fold]) -> None:
        tasks = [self._scoring(fold) for fold in folds]
        make_all([task.makings_all() for task in tasks], self._workers, self._report)
        score_all(tasks, self._workers, self._report)

    def _scored(self, fold: Fold) -> bool:
        task = self._scoring(fold)
        return all(len(read_guesses(task, arm)) == task.seeds for arm in task.arms)

    def _scoring(self, fold: Fold) -> Scoring:
        question, wish = self._question, self._question.settings
        folder = self._output.own / "splits" / fold.title
        part = question.seen(fold)
        opinions = any(arm.recipe.soft_labels > 0 for arm in question.arms)
        makings = {
            name: Making(part, config, question.versions[name], opinions, folder)
            for name, config in question.runs.items()
        }
        return Scoring(
            title=f"split {fold.title}",
            train=part.train,
            images=question.loaded.train.images[fold.held_out],
            arms=question.arms,
            makings=makings,
            probed=next((making for making in makings.values() if making.config.probe), None),
            asked=question.asked,
            classical=wish.classical,
            seeds=wish.seeds,
            seed=derive(question.seed, "split", fold.repeat, fold.number),
            version=version("genaug"),
            folder=folder,
        )

    def _sum_up(self, done: Sequence[Fold], *, left: int) -> dict[str, Any]:
        """The answer, written before the test split is looked at, and again with what that says."""
        record = self._write(self._summed(done, left=left))
        if not self._has_test:
            return record
        found = self._tested(self._outcome(done), done[0])
        return self._write(record | ({"notes": [_ALL_LEFT_OUT]} if found is None else {"test": found}))

    def _write(self, record: dict[str, Any]) -> dict[str, Any]:
        cost = {"seconds": self._budget.spent(), "seconds_per_split": self._budget.pace()}
        write_json(self._output.path / RESULT, record | {"cost": cost})
        return record | {"cost": cost}

    def _summed(self, done: Sequence[Fold], *, left: int) -> dict[str, Any]:
        """left: splits that were dealt out and not done; where the end is open, none is missing."""
        outcome, spec = self._outcome(done), self._question.loaded.spec
        planned = len(done) + (0 if self._open else left + sum(1 for _ in self._folds))
        said = summary(outcome, spec.classes, spec.counts, planned)
        return self._facts(outcome, done, planned) | said | {"made": self._made(done), "test": None, "notes": []}

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

    def _facts(self, outcome: Outcome, done: Sequence[Fold], planned: int) -> dict[str, Any]:
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
                "repeats": 1 + max(fold.repeat for fold in done),
                "done": len(outcome.splits),
                "planned": planned,
                "held_out_share": outcome.held_out_share,
            },
        }

    def _made(self, done: Sequence[Fold]) -> list[dict[str, Any]]:
        """What each generator gave in a split, on average, and how often a class failed."""
        tasks = [self._scoring(fold) for fold in done]
        rows = []
        for name in self._question.runs:
            facts = [read_facts(task.makings[name]) for task in tasks]
            images, missing = (float(np.mean([one[key] for one in facts])) for key in ("images", "missing"))
            failures = sum(len(one["failures"]) for one in facts)
            rows.append({"generator": name, "images": images, "missing": missing, "failures": failures})
        return rows

    def _tested(self, outcome: Outcome, like: Fold) -> dict[str, Any] | None:
        """The test split, once, at the end, without near-duplicates of training images; None where none is left."""
        loaded = self._question.loaded
        test, train = loaded.splits["test"], loaded.splits["train"]
        fresh = nearest(test.thumbnails, train.thumbnails)[1] > 1 - NEAR
        if not fresh.any():
            return None
        whole = replace(self._scoring(like), title="test split", train=loaded.train, images=test.images[fresh])
        task = Trial(loaded, whole, test.labels[fresh], int((~fresh).sum()), self._output.own / "test")
        return trial(task, outcome, self._workers, self._report)


def _silent(message: Any) -> None:
    """Report to nobody."""
