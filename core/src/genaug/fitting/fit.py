"""Train models and write them to disk. A model that is there already is not trained again."""

import logging
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
from genaug.executors import plugin_code
from genaug.fitting.model import read_weights, save_model, take_memory
from genaug.fitting.record import has_record, read_record
from genaug.fitting.sizes import generator_spec, resized
from genaug.fitting.stop import CopyWatch
from genaug.generator import AnyGenerator
from genaug.hookspecs import GeneratorDescription
from genaug.registry import Source, make_generator
from genaug.storage import log_changed, remove, stage_hash
from genaug.training import Progress, Trained, train

_REPORT_SECONDS = 0.2
_LOG = logging.getLogger("genaug")


@dataclass(frozen=True)
class FitSettings:
    """Everything except the training images that decides the bytes of a model.

    source: the plugin that the generator comes from. code: hash of its files. core_version: version of genaug.
    threads: torch threads of this training. pooled_threads: those of a model over all classes that it starts from.
    """

    description: GeneratorDescription
    source: Source
    code: str
    core_version: str
    preset: Preset
    seed: int
    device: str
    precision: str
    threads: int
    pooled_threads: int

    @property
    def per_class(self) -> bool:
        """Whether each class gets its own model."""
        return self.description.conditioning == "none" or self.preset.train.specialise_steps > 0

    def to_json(self) -> dict[str, Any]:
        """Plain values, for hashes and for the model's JSON file.

        All but the code: an edited plugin trains its models again, but may write into the output that it began.
        """
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
    """One model to train.

    split: its training images. label: its class; None for one model over all classes.
    models: folder for models. folder: for checkpoints and for models that are only a starting point.
    pooled: task of the model over all classes from whose weights this one starts; None to start at random.
    """

    settings: FitSettings
    split: TrainSplit
    label: int | None
    models: Path
    folder: Path
    pooled: "FitTask | None" = None

    @property
    def title(self) -> str:
        """The name of the model in progress bars and messages."""
        name = self.settings.description.name
        return name if self.label is None else f"{name} {self.class_name}"

    @property
    def class_name(self) -> str:
        """The class name of a model of one class."""
        classes = self.split.spec.classes
        return classes[self.label or 0] if len(classes) > 1 else classes[0]

    @property
    def known(self) -> TrainSplit:
        """The training images that the model may store and draw from.

        These are the images of all classes for a specialised model whose settings borrow from other classes, else the
        images that it is trained on.
        """
        if self.pooled is not None and self.settings.preset.model.borrows():
            return self.pooled.split
        return self.split

    @property
    def train_config(self) -> TrainConfig:
        """The training settings. A model that starts from a pooled one has `specialise_steps` steps and no warm-up."""
        config = self.settings.preset.train
        if self.pooled is None:
            return config
        return changed(config, {"steps": config.specialise_steps, "warmup_steps": 0}, "train")

    @property
    def key(self) -> str:
        """Hash of all that decides the model: settings, images, class and the pooled model it starts from."""
        start = None if self.pooled is None else self.pooled.key
        return stage_hash([self.settings.to_json(), self.settings.code, self.split.fingerprint, self.label, start])

    @property
    def path(self) -> Path:
        """The file of the model, named by class number, since a class name may be no valid file name."""
        name = "all" if self.label is None else f"{self.label:03d}"
        return self.models / self.settings.description.name / f"{name}.safetensors"


@dataclass(frozen=True)
class FitRecord:
    """A trained model: its file, class and training, and whether it had been trained by an earlier run (`reused`)."""

    key: str
    path: Path
    label: int | None
    steps: int
    batch_size: int
    seconds: float
    reused: bool


@dataclass(frozen=True)
class FitProgress:
    """Progress of one training, for display."""

    title: str
    progress: Progress


def fit_tasks(
    settings: FitSettings, split: TrainSplit, models: Path, folder: Path, labels: Sequence[int]
) -> list[FitTask]:
    """The models to train for drawing these labels: one over all classes, or one for each label.

    With `specialise_steps`, each model starts from one over all classes; that `pooled` task must be performed first.
    Raises DataError if a class has fewer images than the generator needs, or the images have other channels.
    """
    conditional = settings.description.conditioning == "class"
    _check_needs(settings.description, split, range(len(split.spec.classes)) if conditional else labels)
    if not settings.per_class:
        return [FitTask(settings, split, None, models, folder)]
    pooled = None
    if settings.preset.train.specialise_steps:
        everything = split if conditional else split.as_one_class()
        wide = replace(settings, threads=settings.pooled_threads)
        pooled = FitTask(wide, everything, None, folder / "pooled", folder)
    parts = {label: split.with_label(label) if conditional else split.of_class(label) for label in labels}
    return [FitTask(settings, part, label, models, folder, pooled) for label, part in parts.items()]


def fit(task: FitTask, report: Callable[[FitProgress], None]) -> FitRecord:
    """Train one model and write it. A model with the same key is reused; an interrupted training is continued.

    Raises PluginError for whatever the code of the plugin raises, with its name, file and line.
    """
    with plugin_code(f"the generator {task.settings.description.name!r}"):
        return _fit(task, report)


def _fit(task: FitTask, report: Callable[[FitProgress], None]) -> FitRecord:
    settings, checkpoints = task.settings, task.folder / "checkpoints" / task.key
    found = read_record(task.path)
    if found is not None and found.key == task.key:
        remove(checkpoints)  # a kill may have left it
        return FitRecord(task.key, task.path, task.label, found.steps, found.batch_size, 0.0, reused=True)
    if found is None and has_record(task.path):
        log_changed(task.path)
    if found is not None and found.code not in ("", settings.code):
        _LOG.warning(
            "the files of %s changed since %s was trained; it is trained again",
            settings.source.distribution,
            task.title,
        )
    started = time.monotonic()
    own_spec = generator_spec(settings.description, task.split.spec)
    generator = make_generator(settings.description, own_spec, settings.preset.model)
    trained = train(
        generator,
        resized(enlarged(task), own_spec),
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
    """The images for the loop: `enlargement` variants of every training image, with its label and row id."""
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
    facts = task.settings.to_json() | {"key": task.key, "label": task.label, "code": task.settings.code}
    save_model(task.path, generator, trained, facts, task.split.spec)


def _stop_rule(task: FitTask, generator: AnyGenerator) -> CopyWatch | None:
    share = task.train_config.stop_at_copies
    if share is None:
        return None
    return CopyWatch(
        generator, task.split, known=task.known, share=share, seed=_seed(task), device=task.settings.device
    )


def _seed(task: FitTask) -> int:
    """The seed of this model. It depends on the class name, so that leaving out other classes changes nothing."""
    scope = "" if task.label is None else task.class_name
    return derive(task.settings.seed, "fit", task.settings.description.name, scope)


def _check_needs(description: GeneratorDescription, split: TrainSplit, labels: Sequence[int]) -> None:
    least, spec = description.needs.least_images, split.spec
    short = [f"{spec.classes[label]!r} has {spec.counts[label]}" for label in labels if spec.counts[label] < least]
    if short:
        raise DataError(
            f"{description.name} needs at least {least} images in each class, but {', '.join(short)}; add images, "
            "leave the class out with --classes, or use a generator with one model over all classes "
            "(see: genaug plugins)"
        )
    if spec.channels not in description.needs.channels:
        raise DataError(
            f"{description.name} works with {' or '.join(map(str, description.needs.channels))} channels, "
            f"these images have {spec.channels}"
        )


class _Throttled:
    """Forwards at most five reports a second, and the last one."""

    def __init__(self, title: str, report: Callable[[FitProgress], None]) -> None:
        self._title, self._report, self._last = title, report, 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._last >= _REPORT_SECONDS or progress.step == progress.steps:
            self._last = now
            self._report(FitProgress(self._title, progress))
