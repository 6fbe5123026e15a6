"""Trains the classifiers of one split, arm by arm at equal steps, and notes what they say of the held-out images."""

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
from genaug.study.arms import Arm
from genaug.study.learner import Asked, Learner, batch_size, classical_variants, learn
from genaug.study.making import Made, Making, read_facts, read_made
from genaug.training import using_threads

FORMAT = 1
NOTHING = -1  # the guess of a classifier that has nothing to learn from: never right

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Scoring:
    """One split's arms. train: its training images. images: uint8 [N, H, W, C], those held out.

    makings: by generator, where the synthetic images are. probed: the one whose label-safety probe says what classical
    variants may do, None where no probe is asked. version: of genaug. folder: where guesses are kept.
    """

    title: str
    train: TrainSplit
    images: NDArray[np.uint8]
    arms: tuple[Arm, ...]
    makings: Mapping[str, Making]
    probed: Making | None
    asked: Asked
    classical: str
    seeds: int
    seed: int
    version: str
    folder: Path

    @cached_property
    def judged(self) -> str:
        """A hash of the held-out images."""
        return stage_hash([list(self.images.shape), hashlib.sha256(self.images.tobytes()).hexdigest()])

    def allowed(self) -> AllowedChanges:
        """What classical variants may do: as the probe of this split says, else no flips."""
        found = {} if self.probed is None else read_facts(self.probed).get("allowed", {})
        return AllowedChanges(**found)

    def path(self, arm: Arm) -> Path:
        """Where the guesses of an arm are kept: named by all that decides them."""
        made = None if arm.generator is None else self.makings[arm.generator].path.stem
        varied = [self.classical, self.allowed().model_dump(mode="json")] if arm.classical else None
        wishes = [FORMAT, self.version, arm.to_json(), self.asked.key(), varied, self.seed, made, self.judged]
        return self.folder / f"arm-{stage_hash([*wishes, self.train.fingerprint])}.json"

    def makings_all(self) -> list[Making]:
        """Everything that has to be made before this can be scored."""
        wanted = [*self.makings.values(), *([self.probed] if self.probed else [])]
        return list({making.path: making for making in wanted}.values())


@dataclass(frozen=True)
class ArmProgress:
    """News of a split: classifiers that are trained, of how many."""

    title: str
    done: int
    count: int
    arm: str


def score_all(tasks: Sequence[Scoring], workers: int, report: Report) -> None:
    """Train what is not there yet; raises the first error."""
    waiting = [task for task in tasks if any(len(_known(task, arm)) < task.seeds for arm in task.arms)]
    if not waiting:
        return
    for outcome in make_executor(workers).map(score, waiting, report):
        if outcome.error is not None:
            raise outcome.error


def score(task: Scoring, report: Report) -> None:
    """Guesses of every arm and seed; each arm is kept as soon as it is there."""
    make_folder(task.folder)
    with using_threads(1):
        made = {name: read_made(making) for name, making in task.makings.items()}
        for place, arm in enumerate(task.arms):
            report(ArmProgress(task.title, place, len(task.arms), arm.name))
            if len(known := _known(task, arm)) < task.seeds:
                _score_arm(task, arm, made, known)
    report(ArmProgress(task.title, len(task.arms), len(task.arms), ""))


def read_guesses(task: Scoring, arm: Arm) -> list[Labels]:
    """The labels that each classifier of an arm gave the held-out images, int64 [N] for each seed."""
    return [np.array(guesses, dtype=np.int64) for guesses in _known(task, arm)[: task.seeds]]


def _known(task: Scoring, arm: Arm) -> list[list[int]]:
    found = read_json(task.path(arm))
    return found["guesses"] if isinstance(found, dict) else []


def _score_arm(task: Scoring, arm: Arm, made: Mapping[str, Made], known: list[list[int]]) -> None:
    mixed, guesses = _mixed(task, arm, made), list(known)
    if not len(mixed):
        guesses = [[NOTHING] * len(task.images)] * task.seeds
        write_json(task.path(arm), {"arm": arm.name, "guesses": guesses})
        return
    bank = None
    if arm.classical:
        shown = task.asked.steps * batch_size(len(task.train))
        seed = derive(task.seed, "classical")
        bank = classical_variants(mixed.images, task.classical, task.allowed(), shown=shown, seed=seed)
    for number in range(len(known), task.seeds):
        learner = _learned(task, mixed, bank, number)
        guesses.append(learner.predict(task.images).tolist())
        write_json(task.path(arm), {"arm": arm.name, "guesses": guesses})


def _learned(task: Scoring, mixed: MixedDataset, bank: NDArray[np.uint8] | None, number: int) -> Learner:
    """All arms of a split and number share a seed: what differs between them is what they are trained on."""
    size = batch_size(len(task.train))
    seed = derive(task.seed, "study", number)
    return learn(task.train.spec, mixed, task.asked, variants_of=bank, batch=size, seed=seed)


def _mixed(task: Scoring, arm: Arm, made: Mapping[str, Made]) -> MixedDataset:
    """The images of an arm; where no synthetic one is kept, the recipe has nothing to mix."""
    train = task.train
    none = np.empty((0, *train.images.shape[1:]), np.uint8)
    some = None if arm.generator is None else made[arm.generator].first(arm.count)
    recipe = arm.recipe if some is not None and len(some.labels) else Arm().recipe
    return MixedDataset.of(
        train.images if arm.real else none,
        train.labels if arm.real else np.empty(0, np.int64),
        none if some is None else some.images,
        np.empty(0, np.int64) if some is None else some.labels,
        train.spec.classes,
        recipe.model_copy(update={"balanced": arm.balanced}),
        scores=None if some is None else some.scores.tolist(),
        probabilities=None if some is None else some.opinions,
    )
