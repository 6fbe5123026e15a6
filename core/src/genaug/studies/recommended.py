"""From the recommended arm of a study to its file, and from the file to the images and the runs that it means."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genaug.config import AllowedChanges, changed
from genaug.data.folder import LoadedFolder, load_folder
from genaug.errors import DataError, UsageError
from genaug.mixing.recipe import RecipeConfig
from genaug.run.config import RunConfig
from genaug.storage import file_sha256
from genaug.studies.arms import Arm
from genaug.studies.classifier_training import batch_size, study_training
from genaug.studies.learner import ClassifierSpec
from genaug.studies.outcome import StudyOutcome
from genaug.studies.question import Question
from genaug.studies.scoring import Scoring
from genaug.studies.settings import StudyConfig
from genaug.studies.training_file import (
    NetworkSettings,
    PromisedScore,
    StudiedImages,
    SyntheticImages,
    TrainingFile,
    relative_path,
    write_training_file,
)
from genaug.training import resolve_device

_VARIANTS = "classical"
_COPIES = "oversample"
_STORABLE = ("cap", "weight")  # settings of a recipe that a folder can hold


def write_recommended(
    question: Question, outcome: StudyOutcome, splits: Sequence[Scoring], record: Mapping[str, Any], out: Path
) -> None:
    """Write the file of the recommended arm into the folder of a study.

    splits: the finished ones. record: the result of the study. A change of images is used if the label-safety probes of
    all splits allow it.
    """
    arm = outcome.arms[outcome.recommended()]
    score = next(row["balanced_accuracy"] for row in record["arms"] if row["name"] == arm.name)
    allowed = allowed_by_all([split.allowed() for split in splits])
    write_training_file(out, training_file(question, arm, score, allowed, out))


def training_file(
    question: Question, arm: Arm, score: Mapping[str, Any], allowed: AllowedChanges, out: Path
) -> TrainingFile:
    """The file of a recommended arm.

    score: its balanced accuracy in the study, with an interval. allowed: the changes that a classical arm may make.
    out: the folder of the study.
    """
    train, classifier = question.loaded.train, question.classifier
    weights = None if classifier.weights is None else relative_path(classifier.weights, out)
    config = next(iter(question.runs.values()))
    return TrainingFile(
        arm=arm.name,
        balanced_accuracy=PromisedScore(**{key: score[key] for key in PromisedScore.model_fields}),
        data=_studied(question, out),
        real=arm.real,
        synthetic=_synthetic(question, arm),
        balanced=arm.balanced,
        network=NetworkSettings(
            name=classifier.network, weights=weights, sha256=classifier.sha256, frozen=classifier.frozen
        ),
        training=study_training(
            classifier.network,
            classifier.steps,
            batch_size(len(train)),
            allowed if arm.classical else None,
            frozen=classifier.frozen,
        ),
        seed=question.seed,
        device=config.device,
    )


def arm_of(file: TrainingFile) -> Arm:
    """The recommended arm."""
    synthetic = file.synthetic
    return Arm(
        generator=None if synthetic is None else synthetic.generator,
        real=file.real,
        classical=file.training.augmentation is not None,
        balanced=file.balanced,
        recipe=Arm().recipe if synthetic is None else synthetic.recipe,
        count=None if synthetic is None else synthetic.count,
    )


def load_studied(file: TrainingFile, home: Path, data: Path | None = None) -> LoadedFolder:
    """The images of a study, read as the study read them.

    home: the folder of the file. data: where the images are now; where the study found them, if left out. Raises
    UsageError where that is unknown, DataError for training images that are not those of the study.
    """
    known = file.data
    if data is None and known.folder is None:
        raise UsageError("the study read its images from memory, so say where they are now: give DATA")
    folder = data or home / str(known.folder)
    if not folder.exists():
        raise DataError(f"there is no folder {folder}, where the study found its images; give their folder as DATA")
    loaded = load_folder(folder, classes=known.classes, size=known.size, resize=known.resize)
    loaded = dataclasses.replace(loaded, groups=known.groups)
    if loaded.train.fingerprint != known.fingerprint:
        raise DataError(
            f"{folder} is not what the study read: its training images differ (expected {sum(known.counts)}, got "
            f"{len(loaded.train)}); give that folder, or study this one: genaug study"
        )
    return loaded


def classifier_of(
    file: TrainingFile, home: Path, weights: Path | None = None, device: str | None = None
) -> ClassifierSpec:
    """The network of the recommended classifier, on a device; that of the study if left out.

    home: the folder of the file. weights: where its initial weights are now; where the study found them if left out.
    Raises DataError for other weights.
    """
    network = file.network
    path = weights or (None if network.weights is None else home / network.weights)
    if path is not None and not path.is_file():
        raise DataError(f"the initial weights {path} are not there; give their file with --weights")
    sha256 = "" if path is None else file_sha256(path)
    if sha256 != network.sha256:
        raise DataError(f"{path or 'no file'} does not hold the initial weights of the study; give their file")
    chosen = resolve_device(device or file.device)
    return ClassifierSpec(network.name, path, sha256, file.training.steps, chosen, network.frozen)


def question_of(file: TrainingFile, loaded: LoadedFolder) -> Question:
    """The question of the study, as far as its recommended arm needs it: its folds and the run of its generator."""
    config = run_config_of(file) if file.synthetic is None else file.synthetic.run
    name = _VARIANTS if file.synthetic is None else file.synthetic.generator
    return Question(loaded, {name: config}, StudyConfig(on="folds", folds=file.data.folds))


def run_config_of(file: TrainingFile) -> RunConfig:
    """The settings of a run that writes the recommended set.

    A folder holds what does not change while training: synthetic images within the cap and with the weight of the
    recipe; or, for an arm without them, classical variants where classes are to be balanced and images changed, copies
    where they are only to be balanced, and nothing new in all other cases.
    """
    if file.synthetic is not None:
        return _synthetic_run(file.synthetic)
    known, changes = file.data, file.training.augmentation
    target = {"balance": "max"} if file.balanced else {"per_class": 0}
    own = {} if changes is None else {_VARIANTS: {"model": changes.allowed().model_dump(mode="json")}}
    return RunConfig(
        generator=_COPIES if changes is None else _VARIANTS,
        generators=own,
        classes=known.classes,
        size=known.size,
        resize=known.resize,
        seed=file.seed,
        device=file.device,
        **target,
    )


def left_to_training(file: TrainingFile) -> str:
    """A sentence on what no folder can hold; empty where there is nothing."""
    recipe = file.recipe.model_copy(update={"balanced": False})
    live = recipe.model_dump(exclude_defaults=True).keys() - {*_STORABLE}
    parts = [
        *(["images change whenever they are shown"] if file.training.augmentation else []),
        *(["every class is shown equally often"] if file.balanced and file.synthetic else []),
        *([f"the recipe {recipe.mode}"] if live else []),
    ]
    return f"left to the training: {', '.join(parts)} (genaug.training_recipe, or genaug train)" if parts else ""


def _synthetic_run(synthetic: SyntheticImages) -> RunConfig:
    """The run of the study with the arm's number of images, and what a folder can hold of its recipe."""
    kept = {key: getattr(synthetic.recipe, key) for key in _STORABLE}
    recipe = RecipeConfig(**kept) if synthetic.recipe.mode == "concatenate" else RecipeConfig(cap=kept["cap"])
    changes: dict[str, Any] = {"recipe": recipe}
    if synthetic.count is not None:
        changes |= {"per_class": synthetic.count, "balance": None, "targets": None}
    return changed(synthetic.run, changes, "the recommended run")


def allowed_by_all(found: Sequence[AllowedChanges]) -> AllowedChanges:
    """The changes that each of these allows."""
    flips = tuple(flip for flip in found[0].flips if all(flip in one.flips for one in found))
    return AllowedChanges(flips=flips, turns=all(one.turns for one in found), hue=all(one.hue for one in found))


def _synthetic(question: Question, arm: Arm) -> SyntheticImages | None:
    if arm.generator is None:
        return None
    run = question.runs[arm.generator]
    return SyntheticImages(generator=arm.generator, count=arm.count, recipe=arm.recipe, run=run)


def _studied(question: Question, out: Path) -> StudiedImages:
    loaded, spec = question.loaded, question.loaded.spec
    return StudiedImages(
        folder=relative_path(loaded.scan.root, out) if loaded.scan.owner is None else None,
        fingerprint=loaded.train.fingerprint,
        classes=spec.classes,
        counts=spec.counts,
        channels=spec.channels,
        size=(spec.height, spec.width),
        resize=loaded.resize,
        folds=question.settings.folds,
        groups=dict(loaded.groups),
    )
