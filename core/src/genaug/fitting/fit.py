"""One fit: a plugin, its settings and a TrainSplit become a model on the disk, once."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from genaug.augmentation import variants
from genaug.chance import derive
from genaug.config import Preset, TrainConfig, changed
from genaug.data.split import TrainSplit
from genaug.errors import DataError
from genaug.fitting.model import read_record, read_weights, save_model, take_memory
from genaug.fitting.stop import CopyWatch
from genaug.generator import AnyGenerator
from genaug.registry import GeneratorDescription, Source, make_generator
from genaug.storage import remove, stage_hash
from genaug.training import Progress, Trained, train

_REPORT_SECONDS = 0.2


@dataclass(frozen=True)
class Settings:
    """All that decides the bytes of a fit besides its images."""

    description: GeneratorDescription
    source: Source
    core_version: str
    preset: Preset
    seed: int
    device: str
    precision: str
    threads: int
    pooled_threads: int

    @property
    def per_class(self) -> bool:
        """Whether each class has a model of its own in the end."""
        return self.description.conditioning == "none" or self.preset.train.specialise_steps > 0

    def to_json(self) -> dict[str, Any]:
        """Plain values for hashes and records."""
        return {
            "generator": self.description.name,
            "plugin": f"{self.source.distribution} {self.source.version}",
            "core": self.core_version,
            "model": self.preset.model.model_dump(mode="json"),
            "train": self.preset.train.model_dump(mode="json"),
            "augmentation": self.preset.augmentation.model_dump(mode="json"),
            "seed": self.seed,
            "device": self.device.partition(":")[0],
            "precision": self.precision,
            "threads": self.threads,
            "pooled_threads": self.pooled_threads,
        }


@dataclass(frozen=True)
class FitTask:
    """One model to train: over all classes (label None), or on one class, from the start or from a `pooled` model.

    `models` and `scratch` are folders.
    """

    settings: Settings
    split: TrainSplit
    label: int | None
    models: Path
    scratch: Path
    pooled: "FitTask | None" = None

    @property
    def title(self) -> str:
        """What is trained, for people."""
        name = self.settings.description.name
        return name if self.label is None else f"{name} {self.class_name}"

    @property
    def class_name(self) -> str:
        """The class of a model of one class."""
        classes = self.split.spec.classes
        return classes[self.label or 0] if len(classes) > 1 else classes[0]

    @property
    def known(self) -> TrainSplit:
        """What samples may lean on: more than the model's own class where they borrow from others."""
        if self.pooled is not None and self.settings.preset.model.borrows():
            return self.pooled.split
        return self.split

    @property
    def train_config(self) -> TrainConfig:
        """How this model is trained: a specialised one for fewer steps."""
        config = self.settings.preset.train
        if self.pooled is None:
            return config
        return changed(config, {"steps": config.specialise_steps, "warmup_steps": 0}, "train")

    @property
    def key(self) -> str:
        """The name of this fit: a hash of its settings and its images."""
        begun = None if self.pooled is None else self.pooled.key
        return stage_hash([self.settings.to_json(), self.split.fingerprint, self.label, begun])

    @property
    def path(self) -> Path:
        """The model's file, named by class number: class names may be too long or odd for a file name."""
        stem = "all" if self.label is None else f"{self.label:03d}"
        return self.models / self.settings.description.name / f"{stem}.safetensors"


@dataclass(frozen=True)
class FitRecord:
    """A finished fit: which model, how long it trained, whether it was found finished already."""

    key: str
    path: Path
    label: int | None
    steps: int
    batch_size: int
    seconds: float
    reused: bool


@dataclass(frozen=True)
class FitProgress:
    """A fit's news for whoever watches."""

    title: str
    progress: Progress


def fit_tasks(
    settings: Settings, split: TrainSplit, models: Path, scratch: Path, labels: Sequence[int]
) -> list[FitTask]:
    """The fits that draw these labels: one over all classes, or one for each; refused below the least of images.

    With `specialise_steps`, each is begun from a model over all classes, its `pooled` task, which has to be done first.
    """
    told = settings.description.conditioning == "class"
    _check_needs(settings.description, split, range(len(split.spec.classes)) if told else labels)
    if not settings.per_class:
        return [FitTask(settings, split, None, models, scratch)]
    pooled = None
    if settings.preset.train.specialise_steps:
        everything = split if told else split.as_one_class()
        wide = replace(settings, threads=settings.pooled_threads)
        pooled = FitTask(wide, everything, None, scratch / "pooled", scratch)
    parts = {label: split.with_label(label) if told else split.of_class(label) for label in labels}
    return [FitTask(settings, part, label, models, scratch, pooled) for label, part in parts.items()]


def fit(task: FitTask, report: Callable[[FitProgress], None]) -> FitRecord:
    """Train one model and write it; a model of the same key is not trained again, a broken-off one goes on."""
    found = read_record(task.path)
    if found is not None and found["key"] == task.key:
        return FitRecord(task.key, task.path, task.label, found["steps"], found["batch_size"], 0.0, reused=True)
    started = time.monotonic()
    settings, checkpoints = task.settings, task.scratch / "checkpoints" / task.key
    generator = make_generator(settings.description, task.split.spec, settings.preset.model)
    trained = train(
        generator,
        enlarged(task),
        task.train_config,
        seed=_seed(task),
        device=settings.device,
        precision=settings.precision,
        threads=settings.threads,
        checkpoints=checkpoints,
        report=_Throttled(task.title, report),
        start=None if task.pooled is None else read_weights(task.pooled.path),
        stop=_stop_rule(task, generator),
    )
    _finish(task, generator, trained)
    remove(checkpoints)
    seconds = time.monotonic() - started
    return FitRecord(task.key, task.path, task.label, trained.steps, trained.batch_size, seconds, reused=False)


def enlarged(task: FitTask) -> TrainSplit:
    """The split as the loop sees it: every image in `enlargement` variants that keep its label and row id."""
    split, augmentation = task.split, task.settings.preset.augmentation
    times = augmentation.enlargement
    images = variants(split.images, augmentation.pipeline, times, _seed(task), augmentation)
    return replace(
        split,
        images=images,
        labels=np.repeat(split.labels, times),
        rows=np.repeat(split.rows, times),
        names=tuple(name for name in split.names for _ in range(times)),
    )


def _finish(task: FitTask, generator: AnyGenerator, trained: Trained) -> None:
    take_memory(generator, task.known, seed=_seed(task), device=task.settings.device)
    facts = task.settings.to_json() | {"key": task.key, "label": task.label}
    save_model(task.path, generator, trained, facts)


def _stop_rule(task: FitTask, generator: AnyGenerator) -> CopyWatch | None:
    share = task.train_config.stop_at_copies
    if share is None:
        return None
    return CopyWatch(
        generator, task.split, known=task.known, share=share, seed=_seed(task), device=task.settings.device
    )


def _seed(task: FitTask) -> int:
    """A seed of this fit's own: by class name, so that leaving out other classes changes nothing."""
    scope = "" if task.label is None else task.class_name
    return derive(task.settings.seed, "fit", task.settings.description.name, scope)


def _check_needs(description: GeneratorDescription, split: TrainSplit, labels: Sequence[int]) -> None:
    least, spec = description.needs.least_images, split.spec
    short = [f"{spec.classes[label]!r} has {spec.counts[label]}" for label in labels if spec.counts[label] < least]
    if short:
        raise DataError(
            f"{description.name} needs at least {least} images in each class, but {', '.join(short)}; add images, "
            "leave the class out with --classes, or use a generator of one model over all classes "
            "(see: genaug plugins)"
        )
    if spec.channels not in description.needs.channels:
        raise DataError(
            f"{description.name} works with {' or '.join(map(str, description.needs.channels))} channels, "
            f"these images have {spec.channels}"
        )


class _Throttled:
    """Passes on a few reports a second, and the last one."""

    def __init__(self, title: str, report: Callable[[FitProgress], None]) -> None:
        self._title, self._report, self._last = title, report, 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._last >= _REPORT_SECONDS or progress.step == progress.steps:
            self._last = now
            self._report(FitProgress(self._title, progress))
