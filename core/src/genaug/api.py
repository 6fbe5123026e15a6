"""The Python door: augment() and its result."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from genaug import pipeline
from genaug.config import RunConfig, assign, parse
from genaug.data.adapters import from_image_folder
from genaug.data.folder import LoadedFolder, load_folder
from genaug.errors import UsageError
from genaug.mixing.dataset import ImageDataset
from genaug.registry import load_registry
from genaug.storage import scratch_folder


class Augmented:
    """What augment() made.

    dataset: real and synthetic training images together; synthetic: the synthetic ones alone. Both are torch data sets
    of (PIL image, label) at the model size, with the attributes of torchvision's ImageFolder.
    counts: {class: {"real": n, "synthetic": n}}. rejected: {file: why it was left out}. failures: {class: why}.
    """

    def __init__(self, job: pipeline.Job, workers: int) -> None:
        self._job = job
        self._work = scratch_folder(self)
        self._mixed, self._records = pipeline.generate(job, self._work / "models", self._work, workers=workers)
        mixed = self._mixed
        self.counts = mixed.counts()
        self.rejected = {entry.path: entry.reason for entry in mixed.loaded.skipped}
        self.failures = dict(mixed.failures)
        classes, train = mixed.loaded.spec.classes, mixed.loaded.train
        made = [image.pixels for image in mixed.synthetic]
        drawn = np.stack(made) if made else np.empty((0, *train.images.shape[1:]), np.uint8)
        labels = [classes.index(image.label) for image in mixed.synthetic]
        self.synthetic = ImageDataset(drawn, labels, classes)
        self.dataset = ImageDataset(np.concatenate([train.images, drawn]), [*train.labels.tolist(), *labels], classes)

    def save(self, out: str | Path) -> None:
        """Write the data set to a folder, as `genaug run` does; raises OutputError when it holds something else."""
        pipeline.save(self._job, self._mixed, self._records, self._work / "models", Path(out))


def augment(
    data: Any,
    generator: str | None = None,
    *,
    per_class: int | None = None,
    balance: str | float | None = None,
    targets: Mapping[str, int] | None = None,
    preset: str = "auto",
    settings: Mapping[str, Any] | None = None,
    size: int | tuple[int, int] | None = None,
    resize: str = "auto",
    classes: Sequence[str] | None = None,
    seed: int = 0,
    device: str = "auto",
    workers: int = 1,
) -> Augmented:
    """Train a generator on a small image data set and return it with synthetic images added.

    data: a folder of class folders, or a torchvision ImageFolder. One of per_class, balance ("max", "median", a number
    of images, a ratio of the largest class) and targets ({class: new images}) says how many; up to the largest class
    without any. settings: {key: value} as in `--set`. With workers > 1, call it under `if __name__ == "__main__":`.
    Raises UsageError, DataError, PluginError or TrainingError.
    """
    registry = load_registry()
    description = registry.generators.get(generator or registry.default_generator())
    changes = assign(description.config, settings or {})
    wishes: dict[str, Any] = {
        "generator": description.name,
        "per_class": per_class,
        "balance": None if balance is None else str(balance),
        "targets": None if targets is None else dict(targets),
        "preset": preset,
        "size": (size, size) if isinstance(size, int) else size,
        "resize": resize,
        "classes": None if classes is None else tuple(classes),
        "seed": seed,
        "device": device,
    }
    config = parse(RunConfig, wishes | changes, "augment()")
    job = pipeline.resolve(config, _load(data, config), registry)
    return Augmented(job, workers)


def _load(data: Any, config: RunConfig) -> LoadedFolder:
    if isinstance(data, str | Path):
        return load_folder(Path(data), classes=config.classes, size=config.size, resize=config.resize)
    if all(hasattr(data, name) for name in ("root", "samples", "class_to_idx")):
        return from_image_folder(data, classes=config.classes, size=config.size, resize=config.resize)
    raise UsageError(f"augment() takes a folder or a torchvision ImageFolder, got {type(data).__name__}")
