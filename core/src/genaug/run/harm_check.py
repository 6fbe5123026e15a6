"""Finds out whether a classifier loses accuracy by the generated images of a run; what it gains proves nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genaug.chance import derive
from genaug.classifier import fit_classifier, precision
from genaug.data.split import TrainSplit
from genaug.executors import Processes, Report, all_results, silent
from genaug.features import JudgeProgress, folds_of, near_groups, part_of
from genaug.mixing.mixed import MixedSet
from genaug.run.harm_bounds import Values, bounds, widened
from genaug.run.job import Job
from genaug.storage import make_folder, read_json, stage_hash, write_json
from genaug.training import Progress, side_by_side

SEEDS = 2
BATCH = 32  # half of a judge's batch, in two thirds of the time
_FOLDER = "harm-check"
_THREADS = 1
_MOST_TOGETHER = 4  # classifiers that train at the same time: each needs a copy of the images


@dataclass(frozen=True)
class Additions:
    """The synthetic images of a set: images uint8 [S, H, W, C], labels int64 [S].

    copied: int64 [S], the training row of which an image is a variant or copy; -1 for generated images.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    copied: NDArray[np.int64]


@dataclass(frozen=True)
class HarmFigures:
    """Balanced accuracy in percent on held-out real images: `real` of real images alone, `both` with synthetic ones.

    points: both - real. low, high: each end is a one-sided 95 % bound of points. baseline: how batches of real images
    alone were drawn: "balanced" over classes, or "uniform" over images, as with synthetic ones.
    images: held-out real images. folds, seeds: classifiers of each kind: folds x seeds. steps: of each.
    """

    points: float
    low: float
    high: float
    real: float
    both: float
    baseline: str
    images: int
    folds: int
    seeds: int
    steps: int

    @property
    def harms(self) -> bool:
        """Whether the whole interval lies below zero."""
        return self.high < 0


def check_harm(
    mixed: MixedSet, job: Job, folder: Path, workers: int | None = None, report: Report = silent
) -> tuple[Mapping[str, Any], Sequence[str]]:
    """The figures of a run's harm check under the key `harm_check`, and a sentence if its images harm.

    The key is None where the check was not requested, and holds `skipped`, a reason, where it is impossible.
    """
    if not job.config.check:
        return {"harm_check": None}, ()
    if not mixed.synthetic.generated.any():
        return {"harm_check": {"skipped": "there is no generated image"}}, ()
    found = measure_harm(
        job.loaded.train,
        _additions(mixed),
        seed=job.config.seed,
        steps=check_steps(job),
        folder=folder / _FOLDER,
        workers=workers,
        report=report,
    )
    if found is None:
        return {"harm_check": {"skipped": "all real images are near-duplicates, so none can be held out"}}, ()
    return {"harm_check": asdict(found) | {"harms": found.harms}}, [_sentence(found, job)] if found.harms else ()


def check_steps(job: Job) -> int:
    """Training steps of each classifier of the check: half of those of a judge, to save time."""
    return max(1, job.config.judge_steps // 2)


def measure_harm(
    train: TrainSplit,
    additions: Additions,
    *,
    seed: int,
    steps: int,
    folder: Path,
    workers: int | None = None,
    report: Report = silent,
) -> HarmFigures | None:
    """Compare classifiers trained with and without additions on real images that none of them has seen.

    Folds are those of the judges. In each, classifiers of two seeds are trained on its training part, with
    class-balanced batches, and on the same images and the additions, with batches drawn evenly from all images, as most
    users would train. Variants and copies of held-out images are left out. Generated images all stay: their generator
    has seen the held-out images, so a gain proves nothing, while a loss is a loss.

    A loss has to be confirmed: its cause may be that batches are not class-balanced, or that the classifiers of real
    images alone were lucky. So the set harms only if it also loses against new classifiers of real images alone whose
    batches are drawn evenly. The smaller loss is returned.

    folder: where finished answers are kept, and found again. workers: classifiers that train side by side, by default
    one for each core. None where all images are near-duplicates of each other.
    """
    folds = folds_of(train, seed)
    if not folds.any():
        return None
    together = min(_MOST_TOGETHER, side_by_side(workers))
    with Processes(together).kept(__name__) as processes:
        trials = _Trials(train, additions, folds, seed, steps, folder, together, processes, report)
        both, balanced = trials.right("both", "balanced")
        found = trials.figures(both, balanced, "balanced")
        if found.harms:
            (uniform,) = trials.right("uniform")
            found = max(found, trials.figures(both, uniform, "uniform"), key=lambda one: one.high)
    return found


@dataclass(frozen=True)
class _Trial:
    """One classifier to train, `number` of `count`, and the held-out images that it answers for."""

    split: TrainSplit
    held: TrainSplit
    seed: int
    steps: int
    balanced: bool
    path: Path
    number: int
    count: int

    def answers(self) -> list[bool] | None:
        """Whether it is right about each held-out image; None before it was trained."""
        known = read_json(self.path)
        return known if isinstance(known, list) and len(known) == len(self.held) else None


def _answer(trial: _Trial, report: Report) -> list[bool]:
    """Train the classifier of a trial, with one thread, and keep its answers."""

    def tell(progress: Progress) -> None:
        report(JudgeProgress(trial.number, trial.count, progress, "harm check"))

    classifier = fit_classifier(
        trial.split,
        steps=trial.steps,
        seed=trial.seed,
        balanced=trial.balanced,
        batch_size=BATCH,
        threads=_THREADS,
        report=tell,
    )
    right: list[bool] = (classifier.logits(trial.held.images).argmax(dim=1).numpy() == trial.held.labels).tolist()
    write_json(trial.path, right)
    return right


class _Trials:
    """The classifiers of one check, and what they answer for held-out images."""

    def __init__(
        self,
        train: TrainSplit,
        additions: Additions,
        folds: NDArray[np.int64],
        seed: int,
        steps: int,
        folder: Path,
        together: int,
        processes: Processes,
        report: Report,
    ) -> None:
        self._train, self._additions, self._folds = train, additions, folds
        self._seed, self._steps = seed, steps
        self._folder, self._together, self._processes, self._report = make_folder(folder), together, processes, report
        self._count = int(folds.max()) + 1
        self._trained = 0

    def right(self, *kinds: str) -> list[Values]:
        """Of each kind, whether the classifier of each seed is right about each real image, float [seeds, N], 0 or 1.

        As many classifiers train side by side as there are workers, at most four, and only their images are in memory.
        """
        found = {kind: np.zeros((SEEDS, len(self._train))) for kind in kinds}
        places = list(product(kinds, range(SEEDS), range(self._count)))
        for start in range(0, len(places), self._together):
            some = places[start : start + self._together]
            for (kind, number, fold), right in zip(some, self._answers(some), strict=True):
                found[kind][number, self._folds == fold] = right
        return list(found.values())

    def _answers(self, places: Sequence[tuple[str, int, int]]) -> list[list[bool]]:
        """What some classifiers answer; those that were trained before are not trained again."""
        trials = [self._trial(*place, self._trained + row) for row, place in enumerate(places, start=1)]
        self._trained += len(trials)
        known = {trial.path: trial.answers() for trial in trials}
        missing = [trial for trial in trials if known[trial.path] is None]
        answers = all_results(_answer, missing, self._report, workers=self._together, processes=self._processes)
        known |= {trial.path: right for trial, right in zip(missing, answers, strict=True)}
        return [right for right in known.values() if right is not None]

    def figures(self, both: Values, real: Values, baseline: str) -> HarmFigures:
        """Compare the right answers of two kinds of classifiers, each float [seeds, N]."""
        groups, weights = near_groups(self._train), _weights(self._train.labels)
        differences = weights * (both - real).mean(axis=0)
        points = float(differences.sum())
        ends = bounds(_sums(differences, groups), _sums(weights, groups), self._seed)
        low, high = widened(points, ends, np.concatenate([self._by_fold(weights * kind) for kind in (both, real)]))
        return HarmFigures(
            points=_points(points),
            low=_points(low),
            high=_points(high),
            real=_points((weights * real.mean(axis=0)).sum()),
            both=_points((weights * both.mean(axis=0)).sum()),
            baseline=baseline,
            images=len(self._train),
            folds=self._count,
            seeds=SEEDS,
            steps=self._steps,
        )

    def _by_fold(self, values: Values) -> Values:
        """The sums of values [seeds, N] over each fold, float [folds, seeds]."""
        return np.stack([values[:, self._folds == fold].sum(axis=1) for fold in range(self._count)])

    def _trial(self, kind: str, number: int, fold: int, place: int) -> "_Trial":
        held = part_of(self._train, np.flatnonzero(self._folds == fold))
        split = self._training_part(kind, fold)
        seed = derive(self._seed, "harm check", number, fold)
        key = [split.fingerprint, held.fingerprint, kind != "balanced", seed, self._steps, BATCH, precision(), _THREADS]
        path = self._folder / f"{stage_hash(key)}.json"
        count = SEEDS * self._count * (3 if kind == "uniform" else 2)
        return _Trial(split, held, seed, self._steps, kind == "balanced", path, place, count)

    def _training_part(self, kind: str, fold: int) -> TrainSplit:
        real = part_of(self._train, np.flatnonzero(self._folds != fold))
        if kind != "both":
            return real
        copied = self._additions.copied
        return _together(real, self._additions, (copied < 0) | (self._folds[copied] != fold))


def _weights(labels: NDArray[np.int64]) -> Values:
    """The weight of each image in a mean over classes, float [N], with the sum 1."""
    sizes = np.bincount(labels)
    weights: Values = 1.0 / (np.count_nonzero(sizes) * sizes[labels])
    return weights


def _sums(values: Values, groups: NDArray[np.int64]) -> Values:
    """The sum over each group, float [G]; 0 for numbers in [0, G) that no group has."""
    return np.bincount(groups, weights=values).astype(np.float64)


def _together(real: TrainSplit, additions: Additions, keep: NDArray[np.bool_]) -> TrainSplit:
    """Real images and some of the additions as one split; additions have row ids and names of their own."""
    labels = np.concatenate([real.labels, additions.labels[keep]])
    rows = np.concatenate([real.rows, -1 - np.flatnonzero(keep)])
    counts = tuple(np.bincount(labels, minlength=len(real.spec.classes)).tolist())
    names = (*real.names, *(f"synthetic {row}" for row in np.flatnonzero(keep)))
    images = np.concatenate([real.images, additions.images[keep]])
    return TrainSplit(replace(real.spec, counts=counts), images, labels, rows, names)


def _additions(mixed: MixedSet) -> Additions:
    arrays = mixed.arrays()
    sources = np.where(mixed.synthetic.generated, -1, arrays.sources)
    return Additions(arrays.synthetic_images, arrays.synthetic_labels, sources)


def _points(share: float) -> float:
    """A share as percentage points, rounded to a tenth; never minus zero."""
    return round(100 * float(share), 1) + 0.0


def _sentence(found: HarmFigures, job: Job) -> str:
    cap = job.recipe.cap
    fewer = " (`--recipe cap=0.25`)" if cap is None or cap > 0.25 else ", or none"
    names = job.config.generator or ",".join(share.name for share in job.shares)
    return (
        f"A classifier trained on this set loses {-found.points:.1f} points (at least {-found.high:.1f}) against your "
        f"real images alone. Use fewer generated images{fewer}, or ask for a full answer: genaug study -g {names}"
    )
