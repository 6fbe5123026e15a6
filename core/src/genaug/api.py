"""The Python interface: augment() and its result."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from genaug.config import changed, parse
from genaug.data.folder import LoadedFolder
from genaug.data.input_types import load_any
from genaug.data.labels import class_name
from genaug.errors import UsageError
from genaug.executors import silent
from genaug.mixing.dataset import ImageDataset
from genaug.mixing.live import MixedDataset, Recipe
from genaug.mixing.recipe import parse_recipe
from genaug.mixing.written import WrittenImages
from genaug.output.entries import candidate_name
from genaug.output.files import MODELS
from genaug.registry import load_registry
from genaug.report import write_report
from genaug.run import pipeline
from genaug.run.assessment import assess
from genaug.run.budget import within_budget
from genaug.run.config import RunConfig
from genaug.run.generation import generate
from genaug.run.job import Job, resolve
from genaug.run.judges import judged_probabilities
from genaug.run.settings import settings_by_generator
from genaug.storage import scratch_folder
from genaug.studies.gate import apply_gate, keep_study
from genaug.targets.sampling_strategy import sampling_strategy_counts
from genaug.targets.shares import parse_shares
from genaug.training import side_by_side


class Augmented:
    """The result of augment().

    dataset: real and synthetic training images together; synthetic: the synthetic ones alone. Both are torch data sets
    of (PIL image, label), with the pixels that `save` writes and the attributes of torchvision's ImageFolder.
    counts: {class: {"real": n, "classical": n, "generated": n}}. rejected: {candidate: the selector that rejected it,
    and why}. shortfall: {class: images missing from the plan}. failures: {class: why}. refused: {class: why it gets no
    generated images}. skipped: {real file: why it was left out}. findings: sentences on what may be wrong with the set,
    as a run says them.
    """

    def __init__(self, job: Job, workers: int | None) -> None:
        self._folder = scratch_folder(self)
        job = within_budget(job, self._folder, workers=workers)
        self._job = apply_gate(job, self._folder, workers=side_by_side(workers))
        generated = generate(self._job, self._folder / MODELS, self._folder, workers=workers)
        self._records = generated.records
        self._mixed = mixed = assess(pipeline.mix(generated), self._job, self._folder, workers, silent)
        self._arrays = arrays = mixed.arrays()
        self.counts = mixed.counts()
        self.findings = list(mixed.record["findings"])
        self.rejected = {candidate_name(mixed, one): f"{one.rejected_by}: {one.reason}" for one in mixed.rejected}
        self.shortfall = dict(mixed.shortfall)
        self.failures = dict(mixed.failures)
        self.refused = dict(mixed.record["refused"])
        self.skipped = {entry.path: entry.reason for entry in mixed.loaded.skipped}
        written = WrittenImages(mixed)
        self.synthetic = ImageDataset(written.synthetic(), arrays.synthetic_labels.tolist(), mixed.classes)
        self.dataset = ImageDataset(written, arrays.labels.tolist(), mixed.classes)

    def live(self, recipe: Recipe | None = None) -> MixedDataset:
        """Real and synthetic images for live training with a recipe; the recipe of augment() if left out.

        Raises UsageError for a recipe that cannot be read.
        """
        chosen = self._job.recipe if recipe is None else parse_recipe(recipe)
        arrays = self._arrays
        probabilities = judged_probabilities(self._job, arrays, self._folder) if chosen.soft_labels else None
        real_images, real_labels = arrays.as_real()
        mixed = ~arrays.tops_up
        return MixedDataset.of(
            real_images,
            real_labels,
            arrays.synthetic_images[mixed],
            arrays.synthetic_labels[mixed],
            self._mixed.classes,
            chosen,
            scores=arrays.scores[mixed].tolist(),
            probabilities=None if probabilities is None else probabilities[torch.from_numpy(mixed)],
        )

    def save(self, out: str | Path) -> None:
        """Write the data set to a folder, as `genaug run` does; raises OutputError where it holds something else."""
        pipeline.save(self._mixed, self._job, self._records, self._folder, Path(out))
        keep_study(self._job, self._folder, Path(out))
        write_report(Path(out))


def augment(
    data: Any,
    generator: str | None = None,
    *,
    per_class: int | None = None,
    balance: str | float | None = None,
    targets: Mapping[str, int] | None = None,
    top_up: str | None = None,
    train_size: int | None = None,
    sampling_strategy: Any = None,
    preset: str = "auto",
    settings: Mapping[str, Any] | None = None,
    size: int | tuple[int, int] | None = None,
    resize: str = "auto",
    classes: Sequence[str] | None = None,
    seed: int = 0,
    device: str = "auto",
    workers: int | None = None,
    **options: Any,
) -> Augmented:
    """Train a generator on a small image data set and return the data set with synthetic images added.

    data: a folder of class folders; a torchvision ImageFolder; any map-style torch data set of (image, label), as it
    returns them; a Hugging Face Dataset or DatasetDict; or arrays (X, y), X uint8 or float in [0, 1], [N, H, W],
    [N, H, W, C] or [N, C, H, W]. The same pixels under the same class names give the same synthetic images.
    How many images: one of per_class, balance ("max", "median", a number of images, or a ratio of the largest class),
    targets ({class: new images}) and sampling_strategy (as imbalanced-learn's over-samplers take it, by class name; see
    `genaug.targets.sampling_strategy`). Without any of them the mix is even: classical variants bring every class to
    the size of the largest, then every class gets the same number of generated images, one for three others.
    top_up: "classical", "oversample" or "none", what is done first to bring every class to the largest.
    train_size: shorter side in pixels at which you will train; findings are about images of this size.
    generator: one name, or several with shares as `a=0.3,b=0.7`. settings: {key: value} as in `--set`. options: other
    keys of a config file, such as select, on_shortfall, recipe, probe or check (docs/settings.md). workers:
    trainings of one thread side by side, each in a process of its own; one for each core if left out.
    Raises UsageError, DataError, PluginError or TrainingError.
    """
    registry = load_registry()
    chosen = generator or registry.default_generator()
    values: dict[str, Any] = {"generator": chosen, "per_class": per_class, "targets": targets, "top_up": top_up}
    values |= {"generators": settings_by_generator(settings or {}, list(parse_shares(chosen)), registry)}
    values |= {"preset": preset, "resize": resize, "seed": seed, "device": device, "classes": classes}
    values |= {"balance": None if balance is None else str(balance), "train_size": train_size}
    values |= {"size": (size, size) if isinstance(size, int) else size}
    config = parse(RunConfig, values | _plain(options), "augment()")
    _refuse_two_targets(config, sampling_strategy)
    loaded = load_any(data, config.classes, config.size, config.resize)
    if sampling_strategy is not None:
        config = changed(config, {"targets": _targets(loaded, sampling_strategy)}, "augment()")
    return Augmented(resolve(config, loaded, registry), workers)


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as a config file would hold them: an empty select, or None, becomes `none`."""
    select = options.get("select", ("novelty",))
    return dict(options) | ({} if select else {"select": ("none",)})


def _refuse_two_targets(config: RunConfig, sampling_strategy: Any) -> None:
    given = [name for name in ("per_class", "balance", "targets") if getattr(config, name) is not None]
    if sampling_strategy is not None and given:
        raise UsageError(
            f"expected one of per_class, balance, targets, sampling_strategy, got {given[0]} and sampling_strategy"
        )


def _targets(loaded: LoadedFolder, strategy: Any) -> dict[str, int]:
    """{class: new images} of an imbalanced-learn strategy, whose tables may give classes as numbers."""
    if isinstance(strategy, Mapping):
        strategy = {class_name(label, "sampling_strategy"): total for label, total in strategy.items()}
    return sampling_strategy_counts(dict(zip(loaded.spec.classes, loaded.spec.counts, strict=True)), strategy)
