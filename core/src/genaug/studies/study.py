"""Runs a study split by split, resumes it where it stopped, and writes its result."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from genaug.chance import derive
from genaug.errors import GenaugError
from genaug.executors import Report, silent
from genaug.output.files import STUDY
from genaug.output.folder import OutputFolder
from genaug.storage import locked, stage_hash, write_json
from genaug.studies.budget import Budget
from genaug.studies.final_test import FinalTest, final_test
from genaug.studies.half_length import at_half_length
from genaug.studies.label_errors import suspected_labels
from genaug.studies.length import Length, choose_length, with_length
from genaug.studies.outcome import SplitPredictions, StudyOutcome
from genaug.studies.question import DEFAULT_STEPS, FORMAT, Question
from genaug.studies.recommended import write_recommended
from genaug.studies.scored_images import ScoredImages
from genaug.studies.scoring import Scoring, read_predictions, score_all
from genaug.studies.splits import Fold
from genaug.studies.summary import summary
from genaug.studies.synthetic_sets import SyntheticSetTask, make_synthetic_sets, read_facts
from genaug.version import __version__

_MOST_REPEATS = 100
_ALL_LEFT_OUT = "The test split was not used: every image in it is a near-duplicate of a training image."
_ROUND = 8  # splits per worker in a round without a budget
_FINAL_TEST = 0.75  # time of the final test, in rounds: it has all training images, but only the chosen arms
_HALF = 0.25  # time of the chosen arms at half the length, in rounds, for each round


def study(
    question: Question,
    out: Path,
    *,
    workers: int = 1,
    budget: float | None = None,
    report: Report = silent,
) -> dict[str, Any]:
    """Compute the missing splits and write the result of the study to OUT; returns its values.

    workers: splits computed in parallel; results do not depend on it. budget: a limit in seconds; as many splits as fit
    are computed, but at least one round, and the result is that of the finished splits. Raises UsageError, DataError,
    OutputError, TrainingError or PluginError; finished work is kept.
    """
    output = OutputFolder(out)
    output.check(question.loaded.scan.root, question.request())
    question.check()
    with locked(output.own):
        output.claim(question.request())
        arms, steps = [arm.to_json() for arm in question.arms], question.settings.steps
        key = stage_hash([arms, question.classifier.key(), steps, workers])
        return _Study(question, output, workers, Budget(budget, output.own / "pace.json", key), report).run()


class _Study:
    """A study in progress."""

    def __init__(self, question: Question, output: OutputFolder, workers: int, budget: Budget, report: Report) -> None:
        self._question, self._output, self._workers = question, output, workers
        self._budget, self._report = budget, report
        self._length = Length(question.settings.steps or DEFAULT_STEPS)
        self._open_ended = question.settings.repeats is None and budget.limited
        self._folds = question.folds(_MOST_REPEATS if self._open_ended else question.repeats)

    def run(self) -> dict[str, Any]:
        """Compute round after round until the time is up; after an error, the finished splits are summed up too."""
        first = next(self._question.folds(1))
        self._length = choose_length(self._question, self._scoring(first), self._workers, self._report)
        self._question = with_length(self._question, self._length.steps)
        done: list[Fold] = []
        rounds = 0
        while folds := tuple(islice(self._folds, self._round_size())):
            missing = [fold for fold in folds if not self._scored(fold)]
            if missing and done and not self._budget.allows(after=self._after(rounds)):
                return self._finish(done, left=len(folds))
            rounds += 1
            try:
                with self._budget.round(len(missing)):
                    self._compute(folds)
            except GenaugError:
                if done:
                    self._write(self._record(done, left=len(folds)))
                raise
            done += folds
        return self._finish(done, left=0)

    def _round_size(self) -> int:
        """Splits of the next round: a single one if there is a budget and the time of a round is unknown."""
        if not self._budget.limited:
            return _ROUND * self._workers
        return self._workers if self._budget.longest else 1

    def _after(self, rounds: int) -> float:
        """The time that the end of the study takes after this many rounds and one more, in rounds."""
        return _FINAL_TEST * self._has_test + _HALF * (rounds + 1) * bool(self._length.curve)

    @property
    def _has_test(self) -> bool:
        return "test" in self._question.loaded.splits and not self._question.on_test

    def _compute(self, folds: Sequence[Fold]) -> None:
        tasks = [self._scoring(fold) for fold in folds]
        make_synthetic_sets([task.synthetic_tasks() for task in tasks], self._workers, self._report)
        score_all(tasks, self._workers, self._report)

    def _scored(self, fold: Fold) -> bool:
        task = self._scoring(fold)
        return all(len(read_predictions(task, arm)) == task.seeds for arm in task.arms)

    def _scoring(self, fold: Fold) -> Scoring:
        question, settings = self._question, self._question.settings
        folder = self._output.own / "splits" / fold.title
        part = question.training_part(fold)
        probabilities = any(arm.recipe.soft_labels > 0 for arm in question.arms)
        sets = {
            name: SyntheticSetTask(part, config, question.versions[name], probabilities, folder)
            for name, config in question.runs_in(fold).items()
        }
        return Scoring(
            title=f"split {fold.title}",
            train=part.train,
            images=question.scored.images[fold.held_out],
            arms=question.arms,
            synthetic=sets,
            probed=next((task for task in sets.values() if task.config.probe), None),
            classifier=question.classifier,
            seeds=settings.seeds,
            seed=derive(question.seed, "split", fold.repeat, fold.number),
            version=__version__,
            folder=folder,
        )

    def _finish(self, done: Sequence[Fold], *, left: int) -> dict[str, Any]:
        """Write the result, and write it again after the final test, if there is a test split."""
        record, outcome = self._write(self._record(done, left=left)), self._outcome(done)
        tasks = [self._scoring(fold) for fold in done]
        write_recommended(self._question, outcome, tasks, record, self._output.path)
        if self._length.curve:
            half = at_half_length(tasks, outcome, self._workers, self._report)
            notes = [*record["notes"], *half.sentences(record["headline"]["verdict"])]
            record = self._write(record | {"notes": notes, "length": record["length"] | {"half": half.to_json()}})
        if not self._has_test:
            return record
        found = self._final_test(outcome, done[0])
        if found is None:
            return self._write(record | {"notes": [*record["notes"], _ALL_LEFT_OUT]})
        return self._write(record | {"test": found})

    def _write(self, record: dict[str, Any]) -> dict[str, Any]:
        cost = {"seconds": self._budget.spent(), "seconds_per_split": self._budget.pace()}
        write_json(self._output.path / STUDY, record | {"cost": cost})
        return record | {"cost": cost}

    def _record(self, done: Sequence[Fold], *, left: int) -> dict[str, Any]:
        """The result of the finished splits. left: splits of the last round that were not computed.

        If the number of repeats is open, no split counts as missing.
        """
        outcome, spec = self._outcome(done), self._question.loaded.spec
        planned = len(done) + (0 if self._open_ended else left + sum(1 for _ in self._folds))
        found = summary(outcome, spec.classes, spec.counts, planned)
        rows = {"made": self._generated_rows(done), "test": None, "notes": [*found["notes"], *self._left_out()]}
        rows["suspects"] = suspected_labels(outcome, self._question.scored, spec.classes)
        return self._facts(outcome, done, planned) | found | rows

    def _left_out(self) -> list[str]:
        count = self._question.scored.left_out
        what = (
            "1 test image was left out, a near-duplicate"
            if count == 1
            else f"{count} test images were left out, near-duplicates"
        )
        return [f"{what} of training images."] if count else []

    def _outcome(self, done: Sequence[Fold]) -> StudyOutcome:
        question = self._question
        labels, half = question.scored.labels, question.scored.halves(question.seed)
        tasks = [self._scoring(fold) for fold in done]
        splits = tuple(
            SplitPredictions(
                fold.held_out,
                labels[fold.held_out],
                half[fold.held_out],
                tuple(tuple(read_predictions(task, arm)) for arm in task.arms),
                fold.repeat,
            )
            for fold, task in zip(done, tasks, strict=True)
        )
        share = 0.0 if question.on_test else float(np.mean([len(fold.held_out) / len(labels) for fold in done]))
        return StudyOutcome(question.arms, len(question.loaded.spec.classes), splits, question.scored.groups, share)

    def _facts(self, outcome: StudyOutcome, done: Sequence[Fold], planned: int) -> dict[str, Any]:
        question, settings = self._question, self._question.settings
        spec = question.loaded.spec
        return {
            "format": FORMAT,
            "genaug": __version__,
            "data": {
                "classes": list(spec.classes),
                "counts": list(spec.counts),
                "size": [spec.height, spec.width],
                "images": spec.images,
            },
            "generators": list(question.runs),
            "classifier": settings.classifier,
            "steps": settings.steps,
            "length": self._length.to_json(),
            "seeds": settings.seeds,
            "splits": {
                "on": "split" if question.on_test else "folds",
                "images": len(question.scored.labels),
                "folds": settings.folds,
                "repeats": 1 + max(fold.repeat for fold in done),
                "done": len(outcome.splits),
                "planned": planned,
                "held_out_share": outcome.held_out_share,
            },
        }

    def _generated_rows(self, done: Sequence[Fold]) -> list[dict[str, Any]]:
        """For each generator, its images and missing images per split on average, and the number of failed classes."""
        tasks = [self._scoring(fold) for fold in done]
        rows = []
        for name in self._question.runs:
            facts = [read_facts(task.synthetic[name]) for task in tasks]
            images, missing = (float(np.mean([one[key] for one in facts])) for key in ("images", "missing"))
            failures = sum(len(one["failures"]) for one in facts)
            rows.append({"generator": name, "images": images, "missing": missing, "failures": failures})
        return rows

    def _final_test(self, outcome: StudyOutcome, fold: Fold) -> dict[str, Any] | None:
        """The final test without near-duplicates of training images; None if no test image remains.

        fold: any finished one, whose settings are used.
        """
        loaded = self._question.loaded
        unseen = ScoredImages.unseen(loaded)
        if not len(unseen.labels):
            return None
        scoring = replace(self._scoring(fold), title="test split", train=loaded.train, images=unseen.images)
        task = FinalTest(loaded, scoring, unseen.labels, unseen.left_out, self._output.own / "test")
        return final_test(task, outcome, self._workers, self._report)
