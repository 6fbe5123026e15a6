"""How often a study's interval holds the true value: whole studies with a cheap learner on simulated folders.

    python benchmarks/calibration.py [--studies 1000] [--kind B] [--factors] [--processes 2]

A folder is a sample of images from known classes. Every study runs through the splits, the choice of arms, the interval
and the verdict of genaug; only the classifier is a cheap one. The true value is the mean over fresh training sets,
scored on 5,000 fresh images. Kind A (one cluster per class, nearest centroids) served to fit the factor for training
sets that overlap (`--kind A --factors`), kind B (several clusters, heavy tails, pairs of near-duplicates, regression
on random features) never did.
"""

import argparse
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context

import numpy as np
from genaug.data.split import TrainSplit
from genaug.features import near_groups
from genaug.significance import t_tail
from genaug.spec import ImageSpec
from genaug.studies.arms import Arm
from genaug.studies.held_out import OVERLAP
from genaug.studies.outcome import SplitPredictions, StudyOutcome
from genaug.studies.splits import halves, split_folds
from numpy.typing import NDArray

Values = NDArray[np.float64]
Labels = NDArray[np.int64]
Classifier = Callable[[Values], Labels]

FOLDERS = {  # images of each class: as the training split of gtsrb10, and as signs
    "333 images": (60, 70, 25, 20, 8, 32, 50, 40, 12, 16),
    "205 images": (50, 38, 30, 24, 18, 14, 12, 8, 6, 5),
}
EFFECTS = ("null", "help", "harm")
ARMS = (Arm(), Arm(balanced=True), Arm("generator"), Arm("generator", balanced=True))
FOLDS, SEEDS = 5, 2
_DIMENSIONS = 12
_HELPING, _HARMING = 8, 15  # generated images per class
_WORLDS = 25  # sets of classes in each setting
_FRESH_SETS, _FRESH_IMAGES = 100, 5000
_FACTORS = (1.0, 1.25, 1.5, 1.75, 2.0)


@dataclass(frozen=True)
class World:
    """Classes of images: clusters in a space of features, whose images are drawn anew in each study."""

    kind: str
    centres: Values  # [K, clusters, D]
    weights: Values  # [K, clusters]

    @classmethod
    def of(cls, kind: str, classes: int, chance: np.random.Generator) -> "World":
        """Random classes."""
        clusters = 1 if kind == "A" else 3
        middle = chance.normal(size=(classes, 1, _DIMENSIONS))
        spread = chance.normal(size=(classes, clusters, _DIMENSIONS)) * (0.0 if kind == "A" else 0.7)
        return cls(kind, middle + spread, chance.dirichlet(np.full(clusters, 3.0), size=classes))

    def draw(self, labels: Labels, chance: np.random.Generator) -> Values:
        """Features [N, D] of images of these classes."""
        picks = (chance.random(len(labels))[:, None] > self.weights.cumsum(axis=1)[labels, :-1]).sum(axis=1)
        noise = chance.normal(size=(len(labels), _DIMENSIONS))
        if self.kind == "B":
            noise = chance.standard_t(5, size=noise.shape) * 0.8
        return self.centres[labels, picks] + noise


def main() -> None:
    """Print one row for each folder and effect."""
    arguments = _arguments()
    settings = [(folder, effect) for folder in FOLDERS for effect in EFFECTS]
    print("| folder | effect | true value | intervals that hold it | helps or harms | half-width | by the t-test |")
    print("|---|---|---|---|---|---|---|")
    with ProcessPoolExecutor(arguments.processes, mp_context=get_context("fork")) as pool:
        for folder, effect in settings:
            seeds = sorted(range(arguments.studies), key=lambda seed: seed % _WORLDS)  # studies of a world together
            tasks = [(arguments.kind, folder, effect, seed) for seed in seeds]
            rows = np.array(list(pool.map(_study, tasks, chunksize=math.ceil(len(tasks) / _WORLDS))))
            print(_row(folder, effect, rows), flush=True)
            if arguments.factors:
                print(_factors(rows), flush=True)


def _row(folder: str, effect: str, rows: Values) -> str:
    truth, mean, error, freedom, half, resampled = rows.T
    held = np.abs(mean - truth) <= half
    found = np.array([2 * t_tail(abs(one), free) < 0.05 for one, free in zip(mean / error, freedom, strict=True)])
    cells = [f"{truth.mean():+.3f}", f"{held.mean():.3f}", f"{found.mean():.3f}", f"{half.mean():.3f}"]
    return f"| {folder} | {effect} | {' | '.join(cells)} | {(resampled < 0.05).mean():.3f} |"


def _factors(rows: Values) -> str:
    truth, mean, _, _, half, _ = rows.T
    shares = {one: (np.abs(mean - truth) <= half * math.sqrt(one / OVERLAP)).mean() for one in _FACTORS}
    return "  held by factor: " + ", ".join(f"{factor}: {share:.3f}" for factor, share in shares.items())


def _study(task: tuple[str, str, str, int]) -> tuple[float, ...]:
    """True value, mean, standard error, degrees of freedom, half-width, and the p-value of the resampled t-test."""
    kind, folder, effect, seed = task
    counts = FOLDERS[folder]
    number = [seed % _WORLDS, EFFECTS.index(effect), list(FOLDERS).index(folder), ord(kind)]
    world = World.of(kind, len(counts), np.random.default_rng(number))
    chance = np.random.default_rng([*number, seed])
    split, features = _folder(world, counts, chance)
    labels, groups = split.labels, near_groups(split)
    half = halves(labels, groups, seed)
    splits = []
    for fold in split_folds(split, folds=FOLDS, repeats=1, seed=seed):
        learned = _arms(world, features[fold.train], labels[fold.train], effect, chance, SEEDS)
        predictions = tuple(tuple(one(features[fold.held_out]) for one in arm) for arm in learned)
        splits.append(SplitPredictions(fold.held_out, labels[fold.held_out], half[fold.held_out], predictions, 0))
    outcome = StudyOutcome(ARMS, len(counts), tuple(splits), groups, 1 / FOLDS)
    chosen = outcome.chosen_synthetic
    mean, variance, p = outcome.difference(chosen).mean, outcome.variance(chosen), outcome.resampled(chosen).p
    assert variance is not None
    truth = _truth(kind, folder, effect, seed % _WORLDS)
    return truth, mean, variance.error, variance.freedom, variance.half_width, 1.0 if p is None else p


def _folder(world: World, counts: Sequence[int], chance: np.random.Generator) -> tuple[TrainSplit, Values]:
    """A folder of pictures that differ from each other, and the features of its images; kind B has near-duplicates."""
    labels = np.repeat(np.arange(len(counts)), counts)
    features, pictures = world.draw(labels, chance), chance.integers(0, 256, (len(labels), 16, 16, 1), dtype=np.uint8)
    if world.kind == "B":
        copies = np.flatnonzero((chance.random(len(labels)) < 0.1) & (np.diff(labels, prepend=-1) == 0))
        features[copies] = features[copies - 1] + 0.05 * chance.normal(size=(len(copies), _DIMENSIONS))
        pictures[copies] = pictures[copies - 1]
    names = [str(row) for row in range(len(labels))]
    spec = ImageSpec(1, 16, 16, tuple(str(label) for label in range(len(counts))), tuple(counts))
    split = TrainSplit.ordered(spec, pictures, labels, names, names)
    return split, features[[int(name) for name in split.names]]


@lru_cache
def _truth(kind: str, folder: str, effect: str, number: int) -> float:
    """What the best arm with synthetic images has more than the best one without, over fresh training sets."""
    counts = FOLDERS[folder]
    chance = np.random.default_rng([number, EFFECTS.index(effect), list(FOLDERS).index(folder), ord(kind)])
    world = World.of(kind, len(counts), chance)
    held = np.repeat(np.arange(len(counts)), _FRESH_IMAGES // len(counts))
    images = world.draw(held, chance)
    labels = np.repeat(np.arange(len(counts)), [max(1, round(count * (1 - 1 / FOLDS))) for count in counts])
    scores = np.zeros((_FRESH_SETS, len(ARMS)))
    for row in scores:
        learned = _arms(world, world.draw(labels, chance), labels, effect, chance, 1)
        row[:] = [(arm[0](images) == held).mean() for arm in learned]
    means = scores.mean(axis=0)
    return float(max(means[2:]) - max(means[:2]))


def _arms(
    world: World, features: Values, labels: Labels, effect: str, chance: np.random.Generator, seeds: int
) -> list[list[Classifier]]:
    """The trained classifiers of each arm. A generator is fitted once for all its arms and seeds."""
    real = [_jittered(features, labels, chance) for _ in range(2)]
    fitted = _generated(world, features, labels, effect, chance)
    synthetic = [_jittered(*fitted, chance) for _ in range(2)] if effect == "null" else [fitted, fitted]
    learn = _centroids if world.kind == "A" else _regression
    return [[learn(*one, chance) for _ in range(seeds)] for one in (*real, *synthetic)]


def _jittered(features: Values, labels: Labels, chance: np.random.Generator) -> tuple[Values, Labels]:
    """The images, each shown four times with noise of its own: augmentation, in all arms."""
    shown = np.repeat(features, 4, axis=0)
    return shown + 0.5 * chance.normal(size=shown.shape), np.repeat(labels, 4)


def _generated(
    world: World, features: Values, labels: Labels, effect: str, chance: np.random.Generator
) -> tuple[Values, Labels]:
    """The images of a synthetic arm: without an effect only the real ones, with one also new or misplaced ones."""
    if effect == "null":
        return features, labels
    count = _HELPING if effect == "help" else _HARMING
    wanted = np.repeat(np.unique(labels), count)
    drawn = world.draw(wanted, chance)
    if effect == "harm":
        drawn = drawn + (1.2 * chance.normal(size=(int(wanted.max()) + 1, _DIMENSIONS)))[wanted]
    return _jittered(np.concatenate([features, drawn]), np.concatenate([labels, wanted]), chance)


def _centroids(features: Values, labels: Labels, chance: np.random.Generator) -> Classifier:
    """Nearest centroids, each of a random part of the images."""
    seen = chance.random(len(labels)) < 0.7
    known = np.unique(labels[seen])
    centroids = np.stack([features[seen & (labels == label)].mean(axis=0) for label in known])
    return lambda images: known[((centroids**2).sum(axis=1) - 2 * images @ centroids.T).argmin(axis=1)]


def _regression(features: Values, labels: Labels, chance: np.random.Generator) -> Classifier:
    """Ridge regression from random features to classes, every class with the same weight."""
    weights, shifts = chance.normal(size=(_DIMENSIONS, 60)) / 3, chance.uniform(0, 6.28, 60)
    sizes = np.bincount(labels)
    scale = np.sqrt(1 / sizes[labels])[:, None]
    inputs = np.cos(features @ weights + shifts) * scale
    targets = np.eye(len(sizes))[labels] * scale
    found = np.linalg.solve(inputs.T @ inputs + 0.02 * np.eye(60), inputs.T @ targets)
    return lambda images: (np.cos(images @ weights + shifts) @ found).argmax(axis=1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=1000, help="number of studies in each setting")
    parser.add_argument("--kind", choices=("A", "B"), default="B", help="kind of simulated folder")
    parser.add_argument("--factors", action="store_true", help="also show what other factors would hold")
    parser.add_argument("--processes", type=int, default=2, help="studies at the same time")
    return parser.parse_args()


if __name__ == "__main__":
    main()
