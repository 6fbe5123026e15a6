"""The test split, looked at once, at the end: the chosen arms are trained anew on all training images."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from genaug.chance import stream
from genaug.data.folder import LoadedFolder
from genaug.executors import Report
from genaug.storage import make_folder, read_json, write_json
from genaug.study.arms import Arm
from genaug.study.making import make_all
from genaug.study.outcome import Outcome
from genaug.study.scores import balanced_accuracy
from genaug.study.scoring import Scoring, read_guesses, score_all

_USES = "uses.json"
_DRAWS = 2000
_LEVELS = (2.5, 97.5)

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Trial:
    """What is tried on the test split.

    scoring: of all training images; its arms, makings and folder are set here. labels: int64 [N] of its images.
    left_out: test images that are left out as near-duplicates of training images.
    """

    loaded: LoadedFolder
    scoring: Scoring
    labels: Labels
    left_out: int
    folder: Path


def trial(task: Trial, outcome: Outcome, workers: int, report: Report) -> dict[str, Any]:
    """Scores of the best arms with and without synthetic images, and of the recommended one, on the test split.

    The interval of the difference is a bootstrap over test images inside each class; it knows nothing of the chance in
    training beyond the seeds that are averaged.
    """
    places = {
        "real": outcome.best(synthetic=False),
        "synthetic": outcome.best(synthetic=True),
        "recommended": outcome.recommended(),
    }
    arms = {role: outcome.arms[place] for role, place in places.items()}
    scoring = _scoring(task, arms)
    uses = _uses(task.folder, scoring)
    make_all([scoring.makings_all()], workers, report)
    score_all([scoring], 1, report)
    labels = task.labels
    guesses = {role: read_guesses(scoring, arm) for role, arm in arms.items()}
    scores = {role: _mean_accuracy(labels, found) for role, found in guesses.items()}
    low, high = _bootstrap(labels, guesses["synthetic"], guesses["real"], task.scoring.seed)
    difference = scores["synthetic"] - scores["real"]
    rows = {role: {"arm": arm.name, "balanced_accuracy": scores[role]} for role, arm in arms.items()}
    return rows | {
        "images": len(labels),
        "uses": uses,
        "difference": {"mean": difference, "low": low, "high": high},
        "sentence": (
            f"On the test split ({len(labels)} images{_without(task.left_out)}, looked at {_times(uses)}): "
            f"'{arms['real'].name}' {scores['real']:.3f}, '{arms['synthetic'].name}' {scores['synthetic']:.3f}, "
            f"difference {difference:+.3f} (95 % interval {low:+.3f} to {high:+.3f})."
        ),
    }


def _scoring(task: Trial, arms: Mapping[str, Arm]) -> Scoring:
    names = [arm.generator for arm in arms.values() if arm.generator is not None]
    part = task.loaded.only_training_on(frozenset(task.loaded.train.names))
    opinions = any(arm.recipe.soft_labels > 0 for arm in arms.values())
    makings = {
        name: replace(task.scoring.makings[name], loaded=part, opinions=opinions, folder=task.folder)
        for name in dict.fromkeys(names)
    }
    probed = task.scoring.probed and replace(task.scoring.probed, loaded=part, opinions=opinions, folder=task.folder)
    own = tuple(dict.fromkeys(arms.values()))
    return replace(task.scoring, arms=own, makings=makings, probed=probed, folder=task.folder)


def _uses(folder: Path, scoring: Scoring) -> int:
    """How often the test split was looked at so far: once, unless a longer study chose other arms afterwards."""
    key = sorted(scoring.path(arm).name for arm in scoring.arms)
    known = read_json(folder / _USES) or []
    if key not in known:
        known.append(key)
        write_json(make_folder(folder) / _USES, known)
    return len(known)


def _without(left_out: int) -> str:
    return f", {left_out} more left out as near-duplicates of training images" if left_out else ""


def _times(uses: int) -> str:
    return "once" if uses == 1 else f"{uses} times, so it is no longer fresh"


def _mean_accuracy(labels: Labels, guesses: list[Labels]) -> float:
    return float(np.mean([balanced_accuracy(labels, guess) for guess in guesses]))


def _bootstrap(labels: Labels, made: list[Labels], real: list[Labels], seed: int) -> tuple[float, float]:
    """95 % interval of the difference of mean recalls, by drawing images of each class with replacement."""
    gain = np.mean([guess == labels for guess in made], axis=0) - np.mean([guess == labels for guess in real], axis=0)
    means = [_resampled(gain[labels == label], seed, label) for label in np.unique(labels).tolist()]
    low, high = np.percentile(np.mean(means, axis=0), _LEVELS)
    return float(low), float(high)


def _resampled(values: NDArray[np.float64], seed: int, label: int) -> NDArray[np.float64]:
    """Means of draws with replacement, float64 [2000]."""
    size = (_DRAWS, len(values))
    places = torch.randint(len(values), size, generator=stream(seed, "bootstrap", label)).numpy()
    means: NDArray[np.float64] = values[places].mean(axis=1)
    return means
