"""Trains the classifiers of one split, arm by arm, and keeps their predictions of the held-out images."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genaug.chance import derive
from genaug.config import AllowedChanges
from genaug.data.split import TrainSplit
from genaug.executors import Report, make_executor
from genaug.mixing.live import MixedDataset
from genaug.storage import make_folder, read_json, stage_hash, write_json
from genaug.studies.arms import Arm
from genaug.studies.classifier_training import batch_size
from genaug.studies.learner import ClassifierSpec, Learner, learn
from genaug.studies.synthetic_sets import SyntheticSet, SyntheticSetTask, read_facts, read_synthetic_set
from genaug.training import computing

FORMAT = 2
NOTHING = -1  # the prediction of a classifier without any training image: no label, so it is never right

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Scoring:
    """The arms of one split and all that their classifiers are trained and scored on.

    title: of the split, for progress. train: its training images. images: uint8 [N, H, W, C], its held-out images.
    synthetic: the tasks whose synthetic images the arms use, by generator. probed: the task whose label-safety probe
    decides how classical arms may change images; None without a probe. seeds:
    classifiers per arm. version: of genaug. folder: where predictions are kept.
    """

    title: str
    train: TrainSplit
    images: NDArray[np.uint8]
    arms: tuple[Arm, ...]
    synthetic: Mapping[str, SyntheticSetTask]
    probed: SyntheticSetTask | None
    classifier: ClassifierSpec
    seeds: int
    seed: int
    version: str
    folder: Path

    @cached_property
    def held_out_hash(self) -> str:
        """A hash of the held-out images."""
        return stage_hash([list(self.images.shape), hashlib.sha256(self.images.tobytes()).hexdigest()])

    def allowed(self) -> AllowedChanges:
        """The changes that classical arms may make: those that this split's probe allows, or the defaults."""
        found = {} if self.probed is None else read_facts(self.probed).get("allowed", {})
        return AllowedChanges(**found)

    def path(self, arm: Arm) -> Path:
        """The file of an arm's predictions, named by a hash of everything that decides them."""
        allowed = self.allowed().model_dump(mode="json") if arm.classical else None
        synthetic = None if arm.generator is None else self.synthetic[arm.generator].path.stem
        key = stage_hash(
            [
                FORMAT,
                self.version,
                arm.to_json(),
                self.classifier.key(),
                allowed,
                self.seed,
                synthetic,
                self.held_out_hash,
                self.train.fingerprint,
            ]
        )
        return self.folder / f"arm-{key}.json"

    def synthetic_tasks(self) -> list[SyntheticSetTask]:
        """The tasks that must be finished before the arms can be scored, each once."""
        tasks = [*self.synthetic.values(), *([self.probed] if self.probed else [])]
        return list({task.path: task for task in tasks}.values())


@dataclass(frozen=True)
class ArmProgress:
    """Progress of a split. done: arms that are finished, of `count`. arm: the name of the next one."""

    title: str
    done: int
    count: int
    arm: str


def score_all(tasks: Sequence[Scoring], workers: int, report: Report) -> None:
    """Train the classifiers whose predictions are missing; raises the first error."""
    waiting = [task for task in tasks if any(len(_kept(task, arm)) < task.seeds for arm in task.arms)]
    if not waiting:
        return
    for outcome in make_executor(workers).map(score, waiting, report):
        if outcome.error is not None:
            raise outcome.error


def score(task: Scoring, report: Report) -> None:
    """Train and predict with every arm and seed of one split; the predictions of each classifier are kept at once."""
    make_folder(task.folder)
    with computing(1):
        sets = {name: read_synthetic_set(set_task) for name, set_task in task.synthetic.items()}
        for index, arm in enumerate(task.arms):
            report(ArmProgress(task.title, index, len(task.arms), arm.name))
            if len(kept := _kept(task, arm)) < task.seeds:
                _score_arm(task, arm, sets, kept)
    report(ArmProgress(task.title, len(task.arms), len(task.arms), ""))


def read_predictions(task: Scoring, arm: Arm) -> list[Labels]:
    """The predicted labels of the held-out images, int64 [N] for each seed of an arm."""
    return [np.array(predicted, dtype=np.int64) for predicted in _kept(task, arm)[: task.seeds]]


def _kept(task: Scoring, arm: Arm) -> list[list[int]]:
    found = read_json(task.path(arm))
    return found["guesses"] if isinstance(found, dict) else []


def _keep(task: Scoring, arm: Arm, predictions: list[list[int]]) -> None:
    write_json(task.path(arm), {"arm": arm.name, "guesses": predictions})


def _score_arm(task: Scoring, arm: Arm, sets: Mapping[str, SyntheticSet], kept: list[list[int]]) -> None:
    mixed, predictions = arm_images(task.train, arm, sets), list(kept)
    if not len(mixed):
        _keep(task, arm, [[NOTHING] * len(task.images)] * task.seeds)
        return
    allowed = task.allowed() if arm.classical else None
    for number in range(len(kept), task.seeds):
        learner = _learned(task, mixed, allowed, number)
        predictions.append(learner.predict(task.images).tolist())
        _keep(task, arm, predictions)


def _learned(task: Scoring, mixed: MixedDataset, allowed: AllowedChanges | None, number: int) -> Learner:
    """A trained classifier; all arms of a split and number share a seed, so that only their images differ."""
    size = batch_size(len(task.train))
    seed = derive(task.seed, "study", number)
    return learn(task.train.spec, mixed, task.classifier, allowed=allowed, batch=size, seed=seed)


def arm_images(train: TrainSplit, arm: Arm, sets: Mapping[str, SyntheticSet]) -> MixedDataset:
    """The images of an arm; if it has no synthetic image, the default recipe, since others need both kinds.

    What tops up the real side of a run counts as real here too.
    """
    found = None if arm.generator is None else sets[arm.generator]
    real = [(train.images, train.labels)] if arm.real else []
    real += [(found.topping_up().images, found.topping_up().labels)] if arm.real and found is not None else []
    synthetic = None if found is None else found.first(arm.count)
    none = np.empty((0, *train.images.shape[1:]), np.uint8)
    recipe = arm.recipe if synthetic is not None and len(synthetic.labels) else Arm().recipe
    return MixedDataset.of(
        np.concatenate([none, *(images for images, _ in real)]),
        np.concatenate([np.empty(0, np.int64), *(labels for _, labels in real)]),
        none if synthetic is None else synthetic.images,
        np.empty(0, np.int64) if synthetic is None else synthetic.labels,
        train.spec.classes,
        recipe.model_copy(update={"balanced": arm.balanced}),
        scores=None if synthetic is None else synthetic.scores.tolist(),
        probabilities=None if synthetic is None else synthetic.probabilities,
    )
