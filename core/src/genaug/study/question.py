"""What a study asks: which arms, on which splits of which images."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from genaug.config import RunConfig
from genaug.data.folder import LoadedFolder
from genaug.errors import DataError, UsageError
from genaug.fitting import fit_tasks
from genaug.job import Job, resolve
from genaug.mixing.output import PROVENANCE
from genaug.mixing.plan import new_images
from genaug.mixing.shares import parse_shares
from genaug.registry import Registry, load_registry
from genaug.storage import file_sha256, read_json_lines, stage_hash
from genaug.study.arms import Arm, real_arms, synthetic_arms
from genaug.study.learner import Asked
from genaug.study.networks import check_network
from genaug.study.settings import StudyConfig
from genaug.study.splits import Fold, split_folds
from genaug.training import resolve_device

FORMAT = 1
REPEATS = 2  # when nobody says


@dataclass(frozen=True)
class Question:
    """What a study asks, of which images.

    runs: the run of each generator or mixture that is asked about, by the name that its arms bear. weights: a file that
    the classifier begins with.
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
        made = synthetic_arms(
            list(self.runs),
            settings.parsed_recipes(),
            settings.counts,
            uneven=self._uneven(),
            alone=settings.alone and all(min(plan.values()) > 0 for plan in self._plans()),
        )
        return (*real_arms(), *made)

    def folds(self, repeats: int) -> Iterator[Fold]:
        """The splits of so many repeats, each dealt out when it is asked for."""
        return split_folds(self.loaded.train, folds=self.settings.folds, repeats=repeats, seed=self.seed)

    @cached_property
    def asked(self) -> Asked:
        """The classifier."""
        config = next(iter(self.runs.values()))
        sha256 = "" if self.weights is None else file_sha256(self.weights)
        device = resolve_device(config.device)
        return Asked(self.settings.classifier, self.weights, sha256, self.settings.steps, device)

    @cached_property
    def versions(self) -> dict[str, tuple[str, ...]]:
        """What takes part in each run besides its settings: distributions with their versions, the kind of device."""
        registry, core = load_registry(), f"genaug {version('genaug')}"
        return {name: (core, *_versions(config, registry)) for name, config in self.runs.items()}

    def check(self) -> None:
        """Refuse before any work what could not be done in some split; raises UsageError or DataError."""
        _refuse_output(self.loaded.scan.root)
        self.settings.parsed_recipes()
        for name, plan in zip(self.runs, self._plans(), strict=True):
            if not any(plan.values()):
                raise UsageError(
                    f"the plan asks for no synthetic image of {name}; give --per-class, or another --balance"
                )
        check_network(self.settings.classifier, self.loaded.spec, self.weights)
        registry = load_registry()
        folds = tuple(self.folds(min(self.settings.repeats or REPEATS, REPEATS)))
        if not folds:
            raise DataError("near-duplicates leave nothing that could be held out; add images, or give fewer --folds")
        for fold in folds:
            part = self.seen(fold)
            for config in self.runs.values():
                _check_needs(resolve(config, part, registry))

    def seen(self, fold: Fold) -> LoadedFolder:
        """What generators and selectors see of a split: its training images, and no trace of any other."""
        names = self.loaded.train.names
        return self.loaded.only_training_on(frozenset(names[row] for row in fold.train))

    def request(self) -> dict[str, Any]:
        """Whose study it is: that of these images. All that is done lies under names that say what decided it."""
        train = self.loaded.train
        return {"study": FORMAT, "data": train.fingerprint, "names": stage_hash(train.names)}

    def _plans(self) -> list[dict[str, int]]:
        counts = dict(zip(self.loaded.spec.classes, self.loaded.spec.counts, strict=True))
        return [new_images(counts, config) for config in self.runs.values()]

    def _uneven(self) -> bool:
        counts = dict(zip(self.loaded.spec.classes, self.loaded.spec.counts, strict=True))
        totals = [{counts[name] + count for name, count in plan.items()} for plan in self._plans()]
        return any(len(found) > 1 for found in totals) or bool(self.settings.counts)


def _refuse_output(root: Path) -> None:
    """Synthetic images must not count as real ones."""
    if any(line.get("synthetic") for line in read_json_lines(root / PROVENANCE) if isinstance(line, dict)):
        raise UsageError(
            f"{root} is an output of genaug, whose synthetic images would count as real ones; study the folder that it "
            "was made from"
        )


def _versions(config: RunConfig, registry: Registry) -> Iterator[str]:
    filler = [] if config.on_shortfall in ("leave", "fail") else [config.on_shortfall]
    generators = [*parse_shares(config.generator or registry.default_generator()), *filler]
    selectors = [name for name in config.select if name != "none"]
    for shelf, names in ((registry.generators, generators), (registry.selectors, selectors)):
        for name in names:
            source = shelf.source(name)
            yield f"{name}: {source.distribution} {source.version}"
    yield f"torch {torch.__version__}"
    yield resolve_device(config.device).partition(":")[0]


def _check_needs(job: Job) -> None:
    for share in job.shares:
        labels = [label for label, kind in enumerate(job.loaded.spec.classes) if share.plan[kind]]
        if labels:
            fit_tasks(share.settings, job.loaded.train, Path(), Path(), labels)
