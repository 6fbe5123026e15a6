"""The verdict of a study at half the length of training: a briefly trained classifier can show another effect."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from genaug.executors import Report
from genaug.studies.outcome import StudyOutcome
from genaug.studies.scoring import Scoring, read_predictions, score_all
from genaug.studies.statistics import Estimate


@dataclass(frozen=True)
class HalfLength:
    """The difference of the chosen arms after half the steps."""

    steps: int
    difference: Estimate

    def sentences(self, verdict: str) -> list[str]:
        """What it says about the verdict of the study."""
        found, other = self.difference, self.difference.verdict
        known = "" if found.low is None else f" (95 % interval {found.low:+.3f} to {found.high:+.3f})"
        same = f"that is {other} too" if other == verdict else f"the verdict depends on the length: there it is {other}"
        return [f"After half as many steps ({self.steps}), the same arms differ by {found.mean:+.3f}{known}; {same}."]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"steps": self.steps, "verdict": self.difference.verdict} | self.difference.to_json()


def at_half_length(tasks: Sequence[Scoring], outcome: StudyOutcome, workers: int, report: Report) -> HalfLength:
    """The arms that the outcome has chosen, trained with half the steps in every finished split.

    tasks: of the splits of the outcome.
    """
    pairs = outcome.chosen_synthetic, outcome.chosen_real
    chosen = list(dict.fromkeys([*pairs[0], *pairs[1]]))
    arms = tuple(outcome.arms[index] for index in chosen)
    steps = max(1, tasks[0].classifier.steps // 2)
    halved = [replace(task, arms=arms, classifier=replace(task.classifier, steps=steps)) for task in tasks]
    score_all(halved, workers, report)
    splits = tuple(
        replace(split, predictions=tuple(tuple(read_predictions(task, arm)) for arm in arms))
        for split, task in zip(outcome.splits, halved, strict=True)
    )
    synthetic, real = ((chosen.index(pair[0]), chosen.index(pair[1])) for pair in pairs)
    return HalfLength(steps, replace(outcome, arms=arms, splits=splits).difference(synthetic, real))
