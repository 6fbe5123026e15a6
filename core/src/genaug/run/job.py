"""A run with everything settled: which generators train on which images, and how many images each has to draw."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from genaug.data.folder import LoadedFolder
from genaug.errors import UsageError, unknown
from genaug.fitting import FitSettings
from genaug.mixing.candidate import Kind
from genaug.mixing.recipe import RecipeConfig, parse_recipe
from genaug.output.real_only import refuse_synthetic
from genaug.registry import Registry
from genaug.run.config import RunConfig
from genaug.run.generator_settings import generator_settings, precision_note, varied
from genaug.run.settings import changes_of, check_sections
from genaug.selection import ManualRejections, SelectorChoice, choose_selectors
from genaug.storage import stage_hash
from genaug.targets.plan import ImagePlan, plan_images
from genaug.targets.shares import parse_shares, shared_plan


@dataclass(frozen=True)
class Share:
    """One generator of a run: its settings, and how many images of each class it has to draw.

    tops_up: whether its images bring the real side of every class to the size of the largest one.
    """

    settings: FitSettings
    plan: dict[str, int]
    tops_up: bool = False

    @property
    def name(self) -> str:
        """The generator's name."""
        return self.settings.description.name

    @property
    def kind(self) -> Kind:
        """The kind of its images."""
        return "classical" if self.settings.description.from_originals else "generated"


@dataclass(frozen=True)
class Job:
    """What is trained on which images, how many images are drawn of each class, which selectors judge them, the recipe.

    plan: {class: new images of the generators}. top_up: what brings the real side of every class to the size of the
    largest one; None where it stays as it is. fallback: the generator that fills up what the others could not give;
    None where classes are left short. manual_rejections: candidates that a person has rejected. gate: what the quick
    study before the run said; None where there was none. budget: its seconds, and what was given up to keep it.
    """

    loaded: LoadedFolder
    config: RunConfig
    shares: tuple[Share, ...]
    plan: dict[str, int]
    top_up: Share | None
    selectors: tuple[SelectorChoice, ...]
    fallback: Share | None
    recipe: RecipeConfig
    manual_rejections: ManualRejections = field(default_factory=dict)
    gate: Mapping[str, Any] | None = None
    budget: Mapping[str, Any] | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names in label order."""
        return self.loaded.spec.classes

    @property
    def all_shares(self) -> tuple[Share, ...]:
        """The generators, and what tops up the real side."""
        return (*self.shares, *([self.top_up] if self.top_up else []))

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what was chosen for a generator because of what it needs."""
        notes = (precision_note(share.settings) for share in self.shares)
        return tuple(note for note in notes if note is not None)

    def planned(self) -> dict[str, dict[str, int]]:
        """{class: {"real", "classical", "generated": images}} of the training images after the run."""
        counts = {
            name: {"real": real, "classical": 0, "generated": 0}
            for name, real in zip(self.classes, self.loaded.spec.counts, strict=True)
        }
        for share in self.all_shares:
            for name, count in share.plan.items():
                counts[name][share.kind] += count
        return counts

    def request(self) -> dict[str, Any]:
        """Everything that decides the bytes of the output, except the plan."""
        loaded, config = self.loaded, self.config
        return {
            "generators": [share.settings.to_json() for share in self.shares],
            "selection": {
                "selectors": [choice.to_json() for choice in self.selectors],
                "overdraw": config.overdraw,
                "judge_steps": config.judge_steps,
                "on_shortfall": config.on_shortfall,
            },
            "recipe": self.recipe.model_dump(mode="json"),
            "probe": config.probe,
            "gate": config.gate,
            "budget": config.budget,
            "format": config.format,
            "only_synthetic": config.only_synthetic,
            "resolution": config.resolution,
            "classes": list(loaded.spec.classes),
            "size": [loaded.spec.height, loaded.spec.width],
            "resize": loaded.resize,
            "data": _data_hash(loaded),
        }

    def excluded(self, generator: str, label: int) -> frozenset[int]:
        """Numbers of a generator's candidates of one class that a person has rejected."""
        return self.manual_rejections.get((generator, self.classes[label]), frozenset())

    def without(self, rejections: ManualRejections) -> "Job":
        """The same job without these candidates; raises UsageError where one names an unknown generator or class."""
        names = {share.name for share in (*self.all_shares, *([self.fallback] if self.fallback else []))}
        for generator, class_name in rejections:
            if generator not in names:
                raise unknown("generator in the list of rejected images", generator, names)
            if class_name not in self.plan:
                raise unknown("class in the list of rejected images", class_name, self.plan)
        return replace(self, manual_rejections=rejections)

    def drawing_nothing(self) -> "Job":
        """The same job for the real images alone."""
        nothing = dict.fromkeys(self.plan, 0)
        shares = tuple(replace(share, plan=nothing) for share in self.shares)
        return replace(self, plan=nothing, shares=shares, top_up=None)

    def with_allowed_changes(self, changes: Mapping[str, Any]) -> "Job":
        """The same job with other settings of augmentation, for every generator that varies training images."""
        shares = tuple(replace(share, settings=varied(share.settings, changes)) for share in self.shares)
        fallback, top_up = (
            share and replace(share, settings=varied(share.settings, changes)) for share in (self.fallback, self.top_up)
        )
        return replace(self, shares=shares, fallback=fallback, top_up=top_up)


def resolve(config: RunConfig, loaded: LoadedFolder, registry: Registry) -> Job:
    """Settle generators, presets, device, precision, threads, plan, selectors and recipe.

    Raises UsageError for settings that do not fit, DataError for data that holds synthetic images of genaug.
    """
    refuse_synthetic(loaded)
    parts = parse_shares(config.generator or registry.default_generator())
    check_sections(config, parts)
    plan = image_plan(config, loaded, registry)
    plans = shared_plan(plan.generated, parts)
    shares = tuple(
        Share(
            generator_settings(name, changes_of(config, name, alone=len(parts) == 1), config, loaded, registry),
            plans[name],
        )
        for name in parts
    )
    filler = None if config.on_shortfall in ("leave", "fail") else config.on_shortfall
    return Job(
        loaded=loaded,
        config=config,
        shares=shares,
        plan=plan.generated,
        top_up=_top_up(config, loaded, registry, plan.top_up, parts),
        selectors=choose_selectors(config.select, config.selectors, registry),
        fallback=filler and Share(generator_settings(filler, {"preset": "auto"}, config, loaded, registry), {}),
        recipe=parse_recipe(config.recipe),
    )


def image_plan(config: RunConfig, loaded: LoadedFolder, registry: Registry) -> ImagePlan:
    """The new images of each class; without a target an even mix, unless a generator only varies real images."""
    names = parse_shares(config.generator or registry.default_generator())
    evenly = not any(registry.generators.get(name).from_originals for name in names)
    counts = dict(zip(loaded.spec.classes, loaded.spec.counts, strict=True))
    return plan_images(counts, config, evenly=evenly)


def _top_up(
    config: RunConfig, loaded: LoadedFolder, registry: Registry, plan: dict[str, int], parts: Mapping[str, float]
) -> Share | None:
    """What tops up the real side; None where nothing is missing. Raises UsageError for a generator of `parts`."""
    if not any(plan.values()):
        return None
    name = config.top_up or "classical"
    if name in parts:
        raise UsageError(
            f"top_up: {name} is among the generators already; give another --top-up, or leave {name} out of --generator"
        )
    return Share(generator_settings(name, {"preset": "auto"}, config, loaded, registry), plan, tops_up=True)


def default_workers(job: Job) -> int:
    """Models trained in parallel by default: one per core for models of one class on a CPU, else one."""
    many = any(share.settings.per_class and share.settings.device == "cpu" for share in job.shares)
    return max(1, min(torch.get_num_threads(), sum(count > 0 for count in job.plan.values()))) if many else 1


def _data_hash(loaded: LoadedFolder) -> str:
    files = [
        [split, name, digest]
        for split, images in loaded.splits.items()
        for name, digest in zip(images.names, images.sha256, strict=True)
    ]
    return stage_hash(sorted(files))
