"""The result of a study as plain values, with the sentences that state it."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from genaug.studies.arms import Arm
from genaug.studies.held_out import Variance
from genaug.studies.outcome import StudyOutcome
from genaug.studies.statistics import HARMS, HELPS, UNCLEAR, Estimate, verdicts

Record = dict[str, Any]

_ANSWERS = {
    HELPS: "Synthetic images help",
    UNCLEAR: "No evidence that synthetic images help",
    HARMS: "Synthetic images harm",
}
_LEAST_SPLITS = 2
_SMALL_EFFECT = 0.02  # in balanced accuracy
_ESTIMAND = (
    "A difference is the expected one in balanced accuracy for {train}, with freshly trained generators and "
    "classifiers. Near-duplicates count as one image."
)


def summary(outcome: StudyOutcome, classes: Sequence[str], counts: Sequence[int], planned: int) -> Record:
    """The parts of the result that follow from the predictions on held-out images."""
    difference = outcome.difference(outcome.chosen_synthetic)
    return {
        "arms": arm_rows(outcome, classes),
        "headline": headline(outcome, difference),
        "classes": class_rows(outcome, classes, counts),
        "recommendation": recommendation(outcome, difference),
        "certainty": certainty(outcome, planned),
        "figure": figure(outcome),
        "notes": _disagreement(outcome, difference),
    }


def headline(outcome: StudyOutcome, difference: Estimate) -> Record:
    """The answer in three parts: the data as it is, what training without synthetic images gains, what they add."""
    as_it_is, gain = outcome.accuracy(0), outcome.difference(outcome.chosen_real, base=(0, 0))
    on_test, resampled = outcome.held_out.shared, outcome.resampled(outcome.chosen_synthetic)
    first = f"Trained on your images as they are: balanced accuracy {as_it_is.mean:.3f}{_interval(as_it_is, '')}."
    second = (
        f"The best training without synthetic images, {_quoted(outcome, outcome.chosen_real)}, gains "
        f"{gain.mean:+.3f}{_interval(gain)} over that."
    )
    return {
        "verdict": difference.verdict,
        "sentence": _sentence(outcome, difference),
        "without": [first] if set(outcome.chosen_real) == {0} else [first, second],
        "estimand": _ESTIMAND.format(train="this training set" if on_test else "training sets of this size"),
        "real": _names(outcome, outcome.chosen_real),
        "synthetic": _names(outcome, outcome.chosen_synthetic),
        "difference": difference.to_json(),
        "as_it_is": as_it_is.to_json(),
        "real_gain": gain.to_json(),
        "resampled": resampled.to_json() | {"verdict": resampled.verdict},
    }


def arm_rows(outcome: StudyOutcome, classes: Sequence[str]) -> list[Record]:
    """One row for each arm; the verdicts of arms with synthetic images are corrected for their number."""
    indices = [index for index, arm in enumerate(outcome.arms) if arm.synthetic]
    differences = [outcome.difference((index, index)) for index in indices]
    tested = dict(zip(indices, zip(differences, verdicts(differences), strict=True), strict=True))
    return [_arm_row(outcome, index, classes, tested.get(index)) for index in range(len(outcome.arms))]


def class_rows(outcome: StudyOutcome, classes: Sequence[str], counts: Sequence[int]) -> list[Record]:
    """Recall of each class with and without synthetic images, with a verdict corrected for the number of classes."""
    differences = outcome.class_differences()
    real, synthetic = outcome.class_recalls(outcome.chosen_real), outcome.class_recalls(outcome.chosen_synthetic)
    found = verdicts(differences)
    return [
        {
            "class": name,
            "images": counts[label],
            "real": _number(real[label]),
            "synthetic": _number(synthetic[label]),
            "difference": differences[label].to_json(),
            "p": differences[label].p,
            "verdict": found[label],
        }
        for label, name in enumerate(classes)
    ]


def recommendation(outcome: StudyOutcome, difference: Estimate) -> Record:
    """The arm to use; it may be one without synthetic images."""
    arm = outcome.arms[outcome.recommended()]
    if not arm.synthetic:
        sentence = f"Do not use synthetic images: train on real images {_how(arm)}."
    elif difference.verdict == HELPS:
        sentence = f"Use '{arm.name}'."
    else:
        sentence = (
            f"If you use synthetic images, use '{arm.name}': it was among the best on held-out images, but that may be "
            "chance."
        )
    return {"arm": arm.name, "synthetic": arm.synthetic, "sentence": sentence}


def certainty(outcome: StudyOutcome, planned: int) -> str:
    """How precisely the difference is known, what limits that, and what would make it more precise."""
    done, variance = len(outcome.splits), outcome.variance(outcome.chosen_synthetic)
    word = _word(outcome)
    count = _splits(outcome) if planned <= done else f"{done} of {planned} {word}s"
    if variance is None:
        return f"{count}: at least {_LEAST_SPLITS} are needed to say how certain the result is."
    known = f"{count}: the difference is known to ± {variance.half_width:.3f}, so smaller effects cannot be seen."
    return f"{known} {_limit(variance, len(np.unique(outcome.held_out.rows)), word)}"


def _limit(variance: Variance, images: int, word: str) -> str:
    """What would make an interval narrower. images: the number of those that score. word: of a split."""
    if variance.images < variance.trainings:
        left = variance.with_splits(math.inf)
        if left.half_width > variance.half_width / 2:
            return f"Chance in training limits this; more {word}s would give ± {left.half_width:.3f} at best."
        times = variance.trainings / ((variance.images + variance.trainings) / 4 - variance.images)
        return f"Chance in training limits this: about {times:.0f} times as many {word}s would halve it."
    if variance.half_width <= _SMALL_EFFECT:
        return "The number of images limits this."
    needed = images * (variance.half_width / _SMALL_EFFECT) ** 2
    return (
        f"The number of images limits this: for ± {_SMALL_EFFECT:.3f}, about {needed:.0f} would be needed "
        f"(now {images})."
    )


def _disagreement(outcome: StudyOutcome, difference: Estimate) -> list[str]:
    """A sentence if the older, wider interval of a cross-validation leads to another verdict."""
    other = outcome.resampled(outcome.chosen_synthetic)
    if other.low is None or other.verdict == difference.verdict:
        return []
    return [
        f"The corrected resampled t-test, which sees only the means of the splits, finds {other.verdict}: "
        f"{other.mean:+.3f}{_interval(other)}. The verdict above rests on single images and is the more exact one."
    ]


def figure(outcome: StudyOutcome) -> list[Record]:
    """Points of balanced accuracy over the number of synthetic images per class, as in the paper's figure.

    There is one series for each way to mix; it begins at 0 with the same arm without synthetic images.
    """
    plain = {(arm.classical, arm.balanced): index for index, arm in enumerate(outcome.arms) if not arm.synthetic}
    rows, begun = [], set()
    for index, arm in enumerate(outcome.arms):
        if arm.count is None or not arm.real:
            continue
        series = replace(arm, count=None)
        if series not in begun:
            begun.add(series)
            rows.append(_point(outcome, series.name, plain[arm.classical, arm.balanced], 0))
        rows.append(_point(outcome, series.name, index, arm.count))
    return rows


def _point(outcome: StudyOutcome, series: str, index: int, count: int) -> Record:
    level = outcome.accuracy(index).to_json()
    return {"generator": series, "arm": outcome.arms[index].name, "count": count, "balanced_accuracy": level}


def _arm_row(outcome: StudyOutcome, index: int, classes: Sequence[str], tested: tuple[Estimate, str] | None) -> Record:
    """tested: the arm's difference and its verdict; None for an arm without synthetic images."""
    arm, recall = outcome.arms[index], outcome.recall(index)
    return {
        "name": arm.name,
        "kind": "synthetic" if arm.synthetic else "real",
        "generator": arm.generator,
        "classical": arm.classical,
        "balanced": arm.balanced,
        "recipe": arm.recipe.mode if arm.synthetic else None,
        "count": arm.count,
        "balanced_accuracy": outcome.accuracy(index).to_json(),
        "macro_f1": outcome.f1(index).to_json(),
        "recall": {name: _number(recall[label]) for label, name in enumerate(classes)},
        "difference": None if tested is None else tested[0].to_json() | {"verdict": tested[1]},
    }


def _sentence(outcome: StudyOutcome, difference: Estimate) -> str:
    scored = f", scored on {len(outcome.splits[0].rows)} test images" if outcome.held_out.shared else ""
    arms, real = (_quoted(outcome, chosen) for chosen in (outcome.chosen_synthetic, outcome.chosen_real))
    return (
        f"{_ANSWERS[difference.verdict]}: balanced accuracy {difference.mean:+.3f}{_interval(difference)} for {arms} "
        f"against {real}, the best arms with and without them, in {_splits(outcome)}{scored}."
    )


def _quoted(outcome: StudyOutcome, arms: tuple[int, int]) -> str:
    """The names of arms in quotation marks, since they contain commas and spaces."""
    return " and ".join(f"'{name}'" for name in _names(outcome, arms))


def _interval(estimate: Estimate, sign: str = "+") -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    return f" (95 % interval {estimate.low:{sign}.3f} to {estimate.high:{sign}.3f})"


def _splits(outcome: StudyOutcome) -> str:
    count = len(outcome.splits)
    return f"1 {_word(outcome)}" if count == 1 else f"{count} {_word(outcome)}s"


def _word(outcome: StudyOutcome) -> str:
    return "training" if outcome.held_out.shared else "split"


def _how(arm: Arm) -> str:
    words = ["with classical augmentation"] if arm.classical else ["as they are"]
    words += ["every class shown equally often"] if arm.balanced else []
    return ", ".join(words)


def _names(outcome: StudyOutcome, arms: tuple[int, int]) -> list[str]:
    return list(dict.fromkeys(outcome.arms[arm].name for arm in arms))


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
