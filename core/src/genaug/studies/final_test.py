"""The final test: the chosen arms are trained on all training images and scored on the test split."""

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
from genaug.studies.arms import Arm
from genaug.studies.outcome import StudyOutcome
from genaug.studies.scores import balanced_accuracy
from genaug.studies.scoring import Scoring, read_predictions, score_all
from genaug.studies.synthetic_sets import SyntheticSetTask, make_synthetic_sets

_USES = "uses.json"
_DRAWS = 2000
_LEVELS = (2.5, 97.5)

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class FinalTest:
    """The data of the final test.

    scoring: of all training images, with the test images as held-out ones; `final_test` replaces its arms, synthetic
    sets and folder. labels: int64 [N], of the test images. left_out: the number of test images that are left out as
    near-duplicates of training images. folder: where results are kept.
    """

    loaded: LoadedFolder
    scoring: Scoring
    labels: Labels
    left_out: int
    folder: Path


def final_test(task: FinalTest, outcome: StudyOutcome, workers: int, report: Report) -> dict[str, Any]:
    """Scores on the test split of the best arms with and without synthetic images, and of the recommended arm.

    The interval of the difference is a bootstrap over the test images of each class. It does not contain the variation
    between trainings, except that the seeds are averaged.
    """
    indices = {
        "real": outcome.best(synthetic=False),
        "synthetic": outcome.best(synthetic=True),
        "recommended": outcome.recommended(),
    }
    arms = {role: outcome.arms[index] for role, index in indices.items()}
    scoring = _scoring(task, arms)
    uses = _count_uses(task.folder, scoring)
    make_synthetic_sets([scoring.synthetic_tasks()], workers, report)
    score_all([scoring], 1, report)
    labels = task.labels
    predictions = {role: read_predictions(scoring, arm) for role, arm in arms.items()}
    scores = {role: _mean_accuracy(labels, found) for role, found in predictions.items()}
    low, high = _bootstrap(labels, predictions["synthetic"], predictions["real"], task.scoring.seed)
    difference = scores["synthetic"] - scores["real"]
    rows = {role: {"arm": arm.name, "balanced_accuracy": scores[role]} for role, arm in arms.items()}
    return rows | {
        "images": len(labels),
        "uses": uses,
        "difference": {"mean": difference, "low": low, "high": high},
        "sentence": (
            f"On the test split ({len(labels)} images{_without(task.left_out)}, used {_times(uses)}): "
            f"'{arms['real'].name}' {scores['real']:.3f}, '{arms['synthetic'].name}' {scores['synthetic']:.3f}, "
            f"difference {difference:+.3f} (95 % interval {low:+.3f} to {high:+.3f})."
        ),
    }


def _scoring(task: FinalTest, arms: Mapping[str, Arm]) -> Scoring:
    names = [arm.generator for arm in arms.values() if arm.generator is not None]
    train = task.loaded.only_training_on(frozenset(task.loaded.train.names))
    probabilities = any(arm.recipe.soft_labels > 0 for arm in arms.values())

    def on_all(one: SyntheticSetTask) -> SyntheticSetTask:
        return replace(one, loaded=train, probabilities=probabilities, folder=task.folder)

    synthetic = {name: on_all(task.scoring.synthetic[name]) for name in dict.fromkeys(names)}
    probed = task.scoring.probed and on_all(task.scoring.probed)
    chosen = tuple(dict.fromkeys(arms.values()))
    return replace(task.scoring, arms=chosen, synthetic=synthetic, probed=probed, folder=task.folder)


def _count_uses(folder: Path, scoring: Scoring) -> int:
    """How often the test split was used so far: more than once if a longer study chose other arms later."""
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


def _mean_accuracy(labels: Labels, predictions: list[Labels]) -> float:
    return float(np.mean([balanced_accuracy(labels, predicted) for predicted in predictions]))


def _bootstrap(labels: Labels, synthetic: list[Labels], real: list[Labels], seed: int) -> tuple[float, float]:
    """95 % interval of the difference of balanced accuracies, by drawing images of each class with replacement.

    synthetic, real: the predictions of each seed, by the arm with and the arm without synthetic images.
    """
    gain = _right(labels, synthetic) - _right(labels, real)
    means = [_resampled(gain[labels == label], seed, label) for label in np.unique(labels).tolist()]
    low, high = np.percentile(np.mean(means, axis=0), _LEVELS)
    return float(low), float(high)


def _right(labels: Labels, predictions: list[Labels]) -> NDArray[np.float64]:
    """The share of seeds that predict each image correctly, float64 [N]."""
    shares: NDArray[np.float64] = np.mean([predicted == labels for predicted in predictions], axis=0)
    return shares


def _resampled(values: NDArray[np.float64], seed: int, label: int) -> NDArray[np.float64]:
    """Means of draws with replacement, float64 [2000]."""
    size = (_DRAWS, len(values))
    rows = torch.randint(len(values), size, generator=stream(seed, "bootstrap", label)).numpy()
    means: NDArray[np.float64] = values[rows].mean(axis=1)
    return means
