"""What a study found, as the plain values of study.json, and the sentences that say it."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from genaug.study.arms import Arm
from genaug.study.outcome import Outcome
from genaug.study.statistics import HARMS, HELPS, UNCLEAR, Estimate, expected_half_width, over_splits, verdicts

Record = dict[str, Any]

_SAYING = {
    HELPS: "Synthetic images help",
    UNCLEAR: "No evidence that synthetic images help",
    HARMS: "Synthetic images harm",
}
_LEAST_SPLITS = 2


def summary(outcome: Outcome, classes: Sequence[str], counts: Sequence[int], planned: int) -> Record:
    """The parts of study.json that come from guesses on held-out images."""
    made = outcome.difference(outcome.chosen_synthetic)
    return {
        "arms": arm_rows(outcome, classes),
        "headline": {
            "verdict": made.verdict,
            "sentence": _headline(outcome, made),
            "real": _names(outcome, outcome.chosen_real),
            "synthetic": _names(outcome, outcome.chosen_synthetic),
            "difference": made.to_json(),
        },
        "classes": class_rows(outcome, classes, counts),
        "recommendation": recommendation(outcome, made),
        "certainty": certainty(outcome, planned),
        "figure": figure(outcome),
    }


def arm_rows(outcome: Outcome, classes: Sequence[str]) -> list[Record]:
    """One row for each arm; verdicts of arms with synthetic images are corrected for their number."""
    places = [place for place, arm in enumerate(outcome.arms) if arm.synthetic]
    found = [outcome.difference((place, place)) for place in places]
    told = dict(zip(places, zip(found, verdicts(found), strict=True), strict=True))
    return [_arm_row(outcome, place, classes, told.get(place)) for place in range(len(outcome.arms))]


def class_rows(outcome: Outcome, classes: Sequence[str], counts: Sequence[int]) -> list[Record]:
    """Recall of each class with and without synthetic images, with a verdict corrected for the number of classes."""
    differences = outcome.class_differences()
    real, made = outcome.class_recalls(outcome.chosen_real), outcome.class_recalls(outcome.chosen_synthetic)
    said = verdicts(differences)
    return [
        {
            "class": name,
            "images": counts[label],
            "real": _number(real[label]),
            "synthetic": _number(made[label]),
            "difference": differences[label].to_json(),
            "p": differences[label].p,
            "verdict": said[label],
        }
        for label, name in enumerate(classes)
    ]


def recommendation(outcome: Outcome, made: Estimate) -> Record:
    """The arm to use; it may be one without synthetic images."""
    arm = outcome.arms[outcome.recommended()]
    if not arm.synthetic:
        sentence = f"Do not use synthetic images: train on real images {_how(arm)}."
    elif made.verdict == HELPS:
        sentence = f"Use '{arm.name}'."
    else:
        sentence = f"If any, use '{arm.name}': it was the best on held-out images, but that may be chance."
    return {"arm": arm.name, "synthetic": arm.synthetic, "sentence": sentence}


def certainty(outcome: Outcome, planned: int) -> str:
    """How sure it is, and what the splits that are missing would add."""
    done, share = len(outcome.splits), outcome.held_out_share
    count = _splits(done) if planned <= done else f"{done} of {planned} splits"
    values = [value for value in outcome.differences(outcome.chosen_synthetic).tolist() if math.isfinite(value)]
    if len(values) < _LEAST_SPLITS:
        return f"{count}: at least {_LEAST_SPLITS} are needed to say how sure anything is."
    if len(set(values)) < _LEAST_SPLITS:
        return f"{count}: they do not differ, so it cannot be told how sure anything is."
    more = max(planned, 2 * done) if planned <= done else planned
    width, wider = (expected_half_width(values, share, splits) for splits in (done, more))
    return (
        f"{count}: the difference is known to ± {width:.3f}, so smaller effects cannot be seen; {more} splits would "
        f"give about ± {wider:.3f}."
    )


def figure(outcome: Outcome) -> list[Record]:
    """Balanced accuracy over the number of synthetic images for each class, as in the paper's figure.

    One series for each way to mix, which begins at 0 with the same arm without synthetic images.
    """
    plain = {(arm.classical, arm.balanced): place for place, arm in enumerate(outcome.arms) if not arm.synthetic}
    rows, begun = [], set()
    for place, arm in enumerate(outcome.arms):
        if arm.count is None or not arm.real:
            continue
        family = replace(arm, count=None)
        if family not in begun:
            begun.add(family)
            rows.append(_point(outcome, family.name, plain[arm.classical, arm.balanced], 0))
        rows.append(_point(outcome, family.name, place, arm.count))
    return rows


def _point(outcome: Outcome, family: str, place: int, count: int) -> Record:
    level = _level(outcome, place).to_json()
    return {"generator": family, "arm": outcome.arms[place].name, "count": count, "balanced_accuracy": level}


def _arm_row(outcome: Outcome, place: int, classes: Sequence[str], told: tuple[Estimate, str] | None) -> Record:
    arm, recall = outcome.arms[place], outcome.recall(place)
    f1 = over_splits(outcome.f1(place).tolist(), outcome.held_out_share).within(0.0, 1.0)
    return {
        "name": arm.name,
        "kind": "synthetic" if arm.synthetic else "real",
        "generator": arm.generator,
        "classical": arm.classical,
        "balanced": arm.balanced,
        "recipe": arm.recipe.mode if arm.synthetic else None,
        "count": arm.count,
        "balanced_accuracy": _level(outcome, place).to_json(),
        "macro_f1": f1.to_json(),
        "recall": {name: _number(recall[label]) for label, name in enumerate(classes)},
        "difference": None if told is None else told[0].to_json() | {"verdict": told[1]},
    }


def _level(outcome: Outcome, place: int) -> Estimate:
    return over_splits(outcome.accuracy(place).tolist(), outcome.held_out_share).within(0.0, 1.0)


def _headline(outcome: Outcome, made: Estimate) -> str:
    arms, real = (_told(outcome, chosen) for chosen in (outcome.chosen_synthetic, outcome.chosen_real))
    return (
        f"{_SAYING[made.verdict]}: balanced accuracy {made.mean:+.3f}{_interval(made)} for {arms} against {real}, "
        f"the best arms with and without them, in {_splits(len(outcome.splits))}."
    )


def _told(outcome: Outcome, arms: tuple[int, int]) -> str:
    """Arms between quotation marks: their names hold commas and words."""
    return " and ".join(f"'{name}'" for name in _names(outcome, arms))


def _interval(made: Estimate) -> str:
    if made.low is None or made.high is None:
        return ""
    return f" (95 % interval {made.low:+.3f} to {made.high:+.3f})"


def _splits(count: int) -> str:
    return "1 split" if count == 1 else f"{count} splits"


def _how(arm: Arm) -> str:
    words = ["with classical augmentation"] if arm.classical else ["as they are"]
    words += ["every class shown equally often"] if arm.balanced else []
    return ", ".join(words)


def _names(outcome: Outcome, arms: tuple[int, int]) -> list[str]:
    return list(dict.fromkeys(outcome.arms[arm].name for arm in arms))


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
