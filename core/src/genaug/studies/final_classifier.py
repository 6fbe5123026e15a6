"""Trains the recommended arm of a study on all training images, calibrated on images that no classifier has seen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load, save
from torch import Tensor
from torch.nn import functional as F

from genaug.chance import derive
from genaug.data.folder import LoadedFolder
from genaug.data.split import TrainSplit
from genaug.errors import TrainingError
from genaug.executors import Report, make_executor, silent
from genaug.features import JudgeProgress
from genaug.features.crossfit import fit_temperature
from genaug.output.folder import OutputFolder
from genaug.storage import (
    locked,
    make_folder,
    need_checked,
    read_checked,
    remove,
    stage_hash,
    write_checked,
)
from genaug.studies.arms import Arm
from genaug.studies.classifier_training import ClassifierTraining, batch_size
from genaug.studies.learner import ClassifierSpec, Learner, fit_learner
from genaug.studies.question import Question
from genaug.studies.recommended import arm_of, classifier_of, load_studied, question_of
from genaug.studies.saved_classifier import Calibration, ClassifierFacts, read_classifier_facts, write_classifier
from genaug.studies.scores import balanced_accuracy
from genaug.studies.scoring import arm_images
from genaug.studies.synthetic_sets import SyntheticSetTask, make_synthetic_sets, read_synthetic_set
from genaug.studies.training_file import TrainingFile, read_training_file
from genaug.training import Progress, computing
from genaug.version import __version__

_WORK = "classifiers"
_LOGITS = "logits"


@dataclass(frozen=True)
class FinalTask:
    """One classifier of the recommended arm. number: which of `count`, from 1.

    train: its real images. held_out: uint8 [N, H, W, C], images whose logits are kept; None to keep the weights.
    labels: int64 [N], of the held-out images. synthetic: the task of its synthetic images; None without. folder: where
    results are kept.
    """

    number: int
    count: int
    train: TrainSplit
    held_out: NDArray[np.uint8] | None
    labels: NDArray[np.int64]
    arm: Arm
    synthetic: SyntheticSetTask | None
    classifier: ClassifierSpec
    training: ClassifierTraining
    seed: int
    folder: Path

    @property
    def path(self) -> Path:
        """The file of the result, named by a hash of everything that decides it."""
        synthetic = None if self.synthetic is None else self.synthetic.path.stem
        training = self.training.model_dump(mode="json")
        parts = [__version__, self.arm.to_json(), self.classifier.key(), training, self.seed, self.train.fingerprint]
        return self.folder / f"classifier-{self.number}-{stage_hash([*parts, synthetic])}.tensors"


def train_recommended(
    study: Path,
    out: Path,
    *,
    data: Path | None = None,
    weights: Path | None = None,
    device: str | None = None,
    workers: int = 1,
    report: Report = silent,
) -> ClassifierFacts:
    """Train the recommended arm of a study on all of its training images and write the classifier to OUT.

    data: where the images of the study are now. weights: where the initial weights of its network are now. device: that
    of the study if left out. The temperature is fitted on every training image, by classifiers of the study's folds
    which, like the generators behind them, were trained without that image. Synthetic images that the study has drawn
    are found in its folder, and missing ones are drawn there. What an interrupted training finished is not repeated.
    Raises UsageError, DataError, OutputError, TrainingError or PluginError.
    """
    file, home = read_training_file(study)
    loaded = load_studied(file, home, data)
    classifier = classifier_of(file, home, weights, device)
    output = OutputFolder(out)
    request = {"classifier": stage_hash([file.model_dump(mode="json"), classifier.key()])}
    output.check(loaded.scan.root, request)
    with locked(output.own):
        output.claim(request)
        if (known := read_classifier_facts(out)) is not None:
            return known
        tasks = _tasks(file, loaded, classifier, OutputFolder(home).own, output.own / _WORK)
        _draw(tasks, OutputFolder(home).own, workers, report)
        _fit(tasks, workers, report)
        facts = write_classifier(out, _facts(file, tasks), load(need_checked(tasks[0].path)))
        remove(output.own / _WORK)
    return facts


def _tasks(
    file: TrainingFile, loaded: LoadedFolder, classifier: ClassifierSpec, study: Path, folder: Path
) -> list[FinalTask]:
    """The classifier on all training images, then one for each fold of the study that holds images out."""
    question, arm = question_of(file, loaded), arm_of(file)
    folds = list(question.folds(1))
    images, labels = loaded.train.images, loaded.train.labels
    parts: list[tuple[LoadedFolder, NDArray[np.uint8] | None, NDArray[np.int64]]]
    parts = [(loaded.only_training_on(frozenset(loaded.train.names)), None, labels[:0])]
    parts += [(question.training_part(one), images[one.held_out], labels[one.held_out]) for one in folds]
    found = []
    for number, (part, held_out, held_out_labels) in enumerate(parts, start=1):
        batch = min(file.training.batch_size, batch_size(len(part.train)))
        found.append(
            FinalTask(
                number=number,
                count=len(parts),
                train=part.train,
                held_out=held_out,
                labels=held_out_labels,
                arm=arm,
                synthetic=_synthetic_task(file, question, part, study),
                classifier=classifier,
                training=file.training.model_copy(update={"batch_size": batch}),
                seed=derive(file.seed, "recommended classifier", number),
                folder=folder,
            )
        )
    return found


def _synthetic_task(file: TrainingFile, question: Question, part: LoadedFolder, study: Path) -> SyntheticSetTask | None:
    """The synthetic images for a part of the training images: where the study keeps them, else in a folder beside."""
    synthetic = file.synthetic
    if synthetic is None:
        return None
    versions = question.versions[synthetic.generator]
    needed = synthetic.recipe.soft_labels > 0
    for probabilities in (needed, True):  # a study with soft labels in another arm keeps them for all
        task = SyntheticSetTask(part, synthetic.run, versions, probabilities, study)
        if (kept := next(study.rglob(task.path.name), None)) is not None:
            return replace(task, folder=kept.parent)
    return SyntheticSetTask(part, synthetic.run, versions, needed, study / "recommended" / part.train.fingerprint)


def _draw(tasks: Sequence[FinalTask], study: Path, workers: int, report: Report) -> None:
    waiting = [[task.synthetic] for task in tasks if task.synthetic and read_checked(task.synthetic.path) is None]
    if waiting:
        with locked(study):
            make_synthetic_sets(waiting, workers, report)


def _fit(tasks: Sequence[FinalTask], workers: int, report: Report) -> None:
    """Train the classifiers that are missing; raises the first error."""
    waiting = [task for task in tasks if read_checked(task.path) is None]
    for outcome in make_executor(min(workers, len(waiting) or 1)).map(fit, waiting, report):
        if outcome.error is not None:
            raise outcome.error


def fit(task: FinalTask, report: Report) -> None:
    """Train one classifier and keep its weights, or its logits of the images that it has not seen."""

    def tell(progress: Progress) -> None:
        report(JudgeProgress(task.number, task.count, progress, "recommended"))

    sets = {} if task.synthetic is None else {str(task.arm.generator): read_synthetic_set(task.synthetic)}
    checkpoints = make_folder(task.folder) / task.path.stem
    with computing(1):
        mixed = arm_images(task.train, task.arm, sets)
        if not len(mixed):
            raise TrainingError(f"the recommended arm '{task.arm.name}' has no image to train on; study again")
        learner = fit_learner(
            task.train.spec,
            mixed,
            task.classifier,
            task.training,
            seed=task.seed,
            checkpoints=checkpoints,
            report=tell,
        )
        write_checked(task.path, save(dict(_results(task, learner))))
    remove(checkpoints)


def _results(task: FinalTask, learner: Learner) -> Iterator[tuple[str, Tensor]]:
    if task.held_out is not None:
        yield _LOGITS, learner.logits(task.held_out)
        return
    yield from learner.state().items()


def _facts(file: TrainingFile, tasks: Sequence[FinalTask]) -> ClassifierFacts:
    final, folds = tasks[0], tasks[1:]
    return ClassifierFacts(
        arm=file.arm,
        promised=file.balanced_accuracy,
        classes=file.data.classes,
        channels=file.data.channels,
        size=file.data.size,
        resize=file.data.resize,
        network=file.network.name,
        frozen=file.network.frozen,
        training=final.training,
        images=len(final.train),
        calibration=_calibrated(folds),
    )


def _calibrated(folds: Sequence[FinalTask]) -> Calibration:
    """The temperature with the least cross-entropy on the images of all folds, each seen by no classifier before."""
    logits = torch.cat([load(need_checked(task.path))[_LOGITS] for task in folds]).double()
    labels = np.concatenate([task.labels for task in folds])
    targets = torch.from_numpy(labels)
    temperature = fit_temperature(logits, targets)
    return Calibration(
        temperature=temperature,
        folds=len(folds),
        images=len(labels),
        log_loss=float(F.cross_entropy(logits / temperature, targets)),
        log_loss_before=float(F.cross_entropy(logits, targets)),
        balanced_accuracy=balanced_accuracy(labels, logits.argmax(dim=1).numpy()),
    )
