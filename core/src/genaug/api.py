"""The Python door: augment() and its result."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genaug import pipeline
from genaug.config import RunConfig, changed, parse
from genaug.data.adapters import load_any
from genaug.data.folder import LoadedFolder
from genaug.data.labels import class_name
from genaug.errors import UsageError
from genaug.generation import generate, judges_of
from genaug.job import Job, own_settings, resolve
from genaug.mixing.dataset import ImageDataset
from genaug.mixing.fold import overall_score
from genaug.mixing.live import MixedDataset, Recipe
from genaug.mixing.recipe import parse_recipe
from genaug.mixing.shares import parse_shares
from genaug.mixing.strategy import sampling_strategy_counts
from genaug.registry import load_registry
from genaug.report import write_report
from genaug.storage import copy_file, scratch_folder
from genaug.study.gate import FOLDER, gated
from genaug.study.study import RESULT


class Augmented:
    """What augment() made.

    dataset: real and synthetic training images together; synthetic: the synthetic ones alone. Both are torch data sets
    of (PIL image, label) at the model size, with the attributes of torchvision's ImageFolder.
    counts: {class: {"real": n, "synthetic": n}}. rejected: {candidate: which selector turned it away, and why}.
    shortfall: {class: images short of the plan}. failures: {class: why}. skipped: {real file: why it was left out}.
    """

    def __init__(self, job: Job, workers: int) -> None:
        self._work = scratch_folder(self)
        job = gated(job, self._work / FOLDER, workers=workers) if job.config.gate else job
        self._made = generate(job, self._work / "models", self._work, workers=workers)
        self._mixed = mixed = pipeline.mix(self._made)
        self.counts = mixed.counts()
        self.rejected = {one.name: f"{one.selector}: {one.reason}" for one in mixed.rejected}
        self.shortfall = dict(mixed.shortfall)
        self.failures = dict(mixed.failures)
        self.skipped = {entry.path: entry.reason for entry in mixed.loaded.skipped}
        classes, train = mixed.loaded.spec.classes, mixed.loaded.train
        made = [image.pixels for image in mixed.synthetic]
        drawn = np.stack(made) if made else np.empty((0, *train.images.shape[1:]), np.uint8)
        labels = [classes.index(image.label) for image in mixed.synthetic]
        self.synthetic = ImageDataset(drawn, labels, classes)
        self.dataset = ImageDataset(np.concatenate([train.images, drawn]), [*train.labels.tolist(), *labels], classes)

    def live(self, recipe: Recipe | None = None) -> MixedDataset:
        """Real and synthetic images for training with a recipe that changes with time; that of augment() if left out.

        Raises UsageError for a recipe that cannot be read.
        """
        wish = self._made.job.recipe if recipe is None else parse_recipe(recipe)
        train, made = self._mixed.loaded.train, self._mixed.synthetic
        return MixedDataset.of(
            train.images,
            train.labels,
            self.synthetic.images,
            np.array(self.synthetic.targets, dtype=np.int64),
            train.spec.classes,
            wish,
            scores=[overall_score(image.scores) for image in made],
            probabilities=self._opinions() if wish.soft_labels else None,
        )

    def _opinions(self) -> Tensor:
        """What classifiers that never saw their stems say of the synthetic images, float32 [N, K]."""
        job = self._made.job
        train = job.loaded.train
        rows = {name: row for row, name in enumerate(train.names)}
        stems = torch.tensor([rows[image.stem] for image in self._mixed.synthetic], dtype=torch.int64)
        return judges_of(job, self._work).probabilities(self.synthetic.images, stems)

    def save(self, out: str | Path) -> None:
        """Write the data set to a folder, as `genaug run` does; raises OutputError when it holds something else."""
        pipeline.save(self._mixed, self._made, self._work, Path(out))
        if self._made.job.gate is not None:
            copy_file(self._work / FOLDER / RESULT, Path(out) / RESULT)
        write_report(Path(out))


def augment(
    data: Any,
    generator: str | None = None,
    *,
    per_class: int | None = None,
    balance: str | float | None = None,
    targets: Mapping[str, int] | None = None,
    sampling_strategy: Any = None,
    preset: str = "auto",
    settings: Mapping[str, Any] | None = None,
    size: int | tuple[int, int] | None = None,
    resize: str = "auto",
    classes: Sequence[str] | None = None,
    seed: int = 0,
    device: str = "auto",
    workers: int = 1,
    **options: Any,
) -> Augmented:
    """Train a generator on a small image data set and return it with synthetic images added.

    data: a folder of class folders; a torchvision ImageFolder; any map-style torch data set of (image, label), as it
    gives them; a Hugging Face Dataset or DatasetDict; or arrays (X, y), X uint8 or float in [0, 1], [N, H, W],
    [N, H, W, C] or [N, C, H, W]. The same pixels under the same class names give the same synthetic images.
    One of per_class, balance ("max", "median", a number of images, a ratio of the largest class), targets ({class: new
    images}) and sampling_strategy (as imbalanced-learn's over-samplers take it, by class name; see
    `genaug.mixing.strategy`) says how many; up to the largest class without any.
    generator: one, or several with shares as `a=0.3,b=0.7`. settings: {key: value} as in `--set`. options: other keys
    of a config file, such as select, on_shortfall, recipe or probe (docs/settings.md). With workers > 1, call it under
    `if __name__ == "__main__":`.
    Raises UsageError, DataError, PluginError or TrainingError.
    """
    registry = load_registry()
    wish = generator or registry.default_generator()
    own = own_settings(settings or {}, list(parse_shares(wish)), registry)
    amount = None if balance is None else str(balance)
    wishes = {"generator": wish, "generators": own, "preset": preset, "resize": resize, "seed": seed, "device": device}
    wishes |= {"per_class": per_class, "balance": amount, "targets": targets, "classes": classes}
    wishes |= {"size": (size, size) if isinstance(size, int) else size}
    config = parse(RunConfig, wishes | _plain(options), "augment()")
    _refuse_two_plans(config, sampling_strategy)
    loaded = load_any(data, config.classes, config.size, config.resize)
    if sampling_strategy is not None:
        config = changed(config, {"targets": _targets(loaded, sampling_strategy)}, "augment()")
    job = resolve(config, loaded, registry)
    return Augmented(job, workers)


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as a config file would hold them: no selector at all is the one called none."""
    select = options.get("select", ("novelty",))
    return dict(options) | ({} if select else {"select": ("none",)})


def _refuse_two_plans(config: RunConfig, sampling_strategy: Any) -> None:
    given = [name for name in ("per_class", "balance", "targets") if getattr(config, name) is not None]
    if sampling_strategy is not None and given:
        raise UsageError(
            f"expected one of per_class, balance, targets, sampling_strategy, got {given[0]} and sampling_strategy"
        )


def _targets(loaded: LoadedFolder, strategy: Any) -> dict[str, int]:
    """{class: new images} of an imbalanced-learn strategy, whose tables may name classes by number."""
    if isinstance(strategy, Mapping):
        strategy = {class_name(label, "sampling_strategy"): total for label, total in strategy.items()}
    return sampling_strategy_counts(dict(zip(loaded.spec.classes, loaded.spec.counts, strict=True)), strategy)
