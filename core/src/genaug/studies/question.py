"""The question of a study: which arms it compares, on which splits of which images."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from genaug.chance import derive
from genaug.data.folder import LoadedFolder
from genaug.errors import DataError, UsageError
from genaug.fitting import code_hash, fit_tasks
from genaug.output.real_only import refuse_synthetic
from genaug.registry import Registry, load_registry
from genaug.run.config import RunConfig
from genaug.run.job import Job, image_plan, resolve
from genaug.storage import file_sha256, stage_hash
from genaug.studies.arms import Arm, real_arms, synthetic_arms
from genaug.studies.frozen import check_frozen
from genaug.studies.learner import ClassifierSpec
from genaug.studies.networks import check_network
from genaug.studies.scored_images import ScoredImages, large_test_split
from genaug.studies.settings import StudyConfig
from genaug.studies.splits import Fold, split_folds, trainings
from genaug.targets.plan import ImagePlan
from genaug.targets.shares import parse_shares
from genaug.training import resolve_device
from genaug.version import __version__

FORMAT = 2
# of the cross-validation, or of trainings that a test split scores, unless the settings or a budget decide otherwise
REPEATS, TRAININGS = 2, 3
DEFAULT_STEPS = 800  # of a classifier, where none are set and none could be chosen


@dataclass(frozen=True)
class Question:
    """The arms that a study compares, and the images on which it compares them.

    runs: for each generator or mixture of generators, by the name that its arms have, the config of a run that draws
    its images. weights: a file of initial weights of the classifier; None for random ones.
    """

    loaded: LoadedFolder
    runs: Mapping[str, RunConfig]
    settings: StudyConfig
    weights: Path | None = None

    @property
    def seed(self) -> int:
        """The seed of all runs."""
        return next(iter(self.runs.values())).seed

    @cached_property
    def arms(self) -> tuple[Arm, ...]:
        """All arms, the simplest first."""
        settings = self.settings
        synthetic = synthetic_arms(
            list(self.runs),
            settings.parsed_recipes(),
            settings.counts,
            uneven=self._uneven(),
            alone=settings.alone and all(min(plan.generated.values()) > 0 for plan in self._plans()),
        )
        return (*real_arms(), *synthetic)

    @cached_property
    def on_test(self) -> bool:
        """Whether the test split scores all classifiers, instead of images that are held out in turn."""
        return large_test_split(self.loaded) if self.settings.on == "auto" else self.settings.on == "split"

    @cached_property
    def scored(self) -> ScoredImages:
        """The images that score the classifiers."""
        return ScoredImages.test(self.loaded) if self.on_test else ScoredImages.training(self.loaded)

    @property
    def repeats(self) -> int:
        """How often the cross-validation, or the training on all images, is repeated without a budget."""
        return self.settings.repeats or (TRAININGS if self.on_test else REPEATS)

    def folds(self, repeats: int) -> Iterator[Fold]:
        """The splits of `repeats` repetitions, one by one."""
        if self.on_test:
            return trainings(len(self.loaded.train), len(self.scored.labels), repeats)
        return split_folds(self.loaded.train, folds=self.settings.folds, repeats=repeats, seed=self.seed)

    @cached_property
    def classifier(self) -> ClassifierSpec:
        """The classifier that all arms train, with its device and the hash of its weights."""
        config = next(iter(self.runs.values()))
        sha256 = "" if self.weights is None else file_sha256(self.weights)
        device = resolve_device(config.device)
        settings = self.settings
        steps = settings.steps or DEFAULT_STEPS
        return ClassifierSpec(settings.classifier, self.weights, sha256, steps, device, settings.frozen)

    @cached_property
    def versions(self) -> dict[str, tuple[str, ...]]:
        """For each run, the distributions that it uses with versions and hashes of their files, and the device."""
        registry, core = load_registry(), f"genaug {__version__}"
        return {name: (core, *_versions(config, registry)) for name, config in self.runs.items()}

    def check(self) -> None:
        """Raise UsageError or DataError, before any work, if some split could not be computed."""
        refuse_synthetic(self.loaded)
        self.settings.parsed_recipes()
        for name, plan in zip(self.runs, self._plans(), strict=True):
            if not any(plan.generated.values()):
                raise UsageError(
                    f"the plan asks for no synthetic image of {name}; give --per-class, or another --balance"
                )
        (check_frozen if self.settings.frozen else check_network)(
            self.settings.classifier, self.loaded.spec, self.weights
        )
        registry = load_registry()
        folds = tuple(self.folds(1 if self.on_test else min(self.repeats, REPEATS)))
        if not folds:
            raise DataError(
                "no image can be held out: near-duplicates stay together, so some class would have nothing to train on;"
                " add images, or give fewer --folds"
            )
        for fold in folds:
            part = self.training_part(fold)
            for config in self.runs.values():
                _check_needs(resolve(config, part, registry))

    def training_part(self, fold: Fold) -> LoadedFolder:
        """The data that generators and selectors receive in a split: its training images and nothing of any other."""
        names = self.loaded.train.names
        return self.loaded.only_training_on(frozenset(names[row] for row in fold.train))

    def runs_in(self, fold: Fold) -> dict[str, RunConfig]:
        """The run of each generator in a split; where all splits have the same images, each has a seed of its own."""
        if not self.on_test or not fold.repeat:
            return dict(self.runs)
        return {
            name: config.model_copy(update={"seed": derive(config.seed, "training of a study", fold.repeat)})
            for name, config in self.runs.items()
        }

    def request(self) -> dict[str, Any]:
        """What an output folder is for: studies of these images, with any settings; file names tell settings apart."""
        train = self.loaded.train
        return {"study": FORMAT, "data": train.fingerprint, "names": stage_hash(train.names)}

    def _plans(self) -> list[ImagePlan]:
        registry = load_registry()
        return [image_plan(config, self.loaded, registry) for config in self.runs.values()]

    def _uneven(self) -> bool:
        counts = dict(zip(self.loaded.spec.classes, self.loaded.spec.counts, strict=True))
        totals = [{counts[name] + count for name, count in plan.total.items()} for plan in self._plans()]
        return any(len(found) > 1 for found in totals) or bool(self.settings.counts)


def _versions(config: RunConfig, registry: Registry) -> Iterator[str]:
    filler = [] if config.on_shortfall in ("leave", "fail") else [config.on_shortfall]
    generators = [*parse_shares(config.generator or registry.default_generator()), *filler]
    selectors = [name for name in config.select if name != "none"]
    for plugins, names in ((registry.generators, generators), (registry.selectors, selectors)):
        for name in names:
            source = plugins.source(name)
            code = code_hash(plugins.get(name), source)
            yield f"{name}: {source.distribution} {source.version} {code}"
    yield f"torch {torch.__version__}"
    yield resolve_device(config.device).partition(":")[0]


def _check_needs(job: Job) -> None:
    """Raise DataError if a class has too few images for a generator of the job."""
    for share in job.shares:
        labels = [label for label, kind in enumerate(job.loaded.spec.classes) if share.plan[kind]]
        if labels:
            fit_tasks(share.settings, job.loaded.train, Path(), Path(), labels)
