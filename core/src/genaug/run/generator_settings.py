"""The settings with which one generator of a run is trained: preset, changes, device, precision and threads."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch

from genaug.config import AugmentationConfig, Preset, changed
from genaug.data.folder import LoadedFolder
from genaug.errors import UsageError
from genaug.executors import plugin_code
from genaug.fitting import FitSettings, code_hash, generator_spec
from genaug.hookspecs import GeneratorDescription
from genaug.registry import Registry, make_preset
from genaug.run.config import RunConfig
from genaug.training import resolve_device, resolve_precision
from genaug.version import __version__


def generator_settings(
    name: str, changes: Mapping[str, Any], config: RunConfig, loaded: LoadedFolder, registry: Registry
) -> FitSettings:
    """Settle preset, device, precision and threads of a generator. changes: what the run changes of its settings.

    Raises UsageError for settings that do not fit to each other, to the images or to this machine.
    """
    description, source = registry.generators.get(name), registry.generators.source(name)
    device = resolve_device(config.device)
    preset = _preset(description, changes, loaded, device)
    per_class = description.conditioning == "none" or preset.train.specialise_steps > 0
    return FitSettings(
        description=replace(description, presets={}),  # used up, and other processes need not be able to receive them
        source=source,
        code=code_hash(description, source),
        core_version=__version__,
        preset=preset,
        seed=config.seed,
        device=device,
        precision=_precision(description, preset.train.precision, device),
        threads=1 if per_class else torch.get_num_threads(),
        pooled_threads=torch.get_num_threads(),
    )


def _preset(description: GeneratorDescription, changes: Mapping[str, Any], loaded: LoadedFolder, device: str) -> Preset:
    """The named preset for this data and device, with the run's changes applied."""
    spec = generator_spec(description, loaded.spec)
    preset = make_preset(description, changes["preset"], spec, device.partition(":")[0])
    with plugin_code(f"the settings of {description.name!r}"):
        model = changed(preset.model, changes.get("model", {}), f"the settings of {description.name}")
        model.check(spec)
    return Preset(
        model=model,
        train=changed(preset.train, changes.get("train", {}), "train"),
        augmentation=changed(preset.augmentation, changes.get("augmentation", {}), "augmentation"),
    )


def varied(settings: FitSettings, changes: Mapping[str, Any]) -> FitSettings:
    """Settings with changed augmentation of the training images, and of the generator where it has such settings."""
    preset = settings.preset
    own = {key: value for key, value in changes.items() if key in type(preset.model).model_fields}
    known = {key: value for key, value in changes.items() if key in AugmentationConfig.model_fields}
    return replace(
        settings,
        preset=preset.model_copy(
            update={
                "model": changed(preset.model, own, f"the settings of {settings.description.name}"),
                "augmentation": changed(preset.augmentation, known, "augmentation"),
            }
        ),
    )


def precision_note(settings: FitSettings) -> str | None:
    """Where the precision is not the one that this hardware is best at, because the generator cannot use that: why."""
    usual = resolve_precision("auto", settings.device)
    if settings.preset.train.precision != "auto" or settings.precision == usual:
        return None
    name = settings.description.name
    return f"{name} trains with precision {settings.precision}, since its plugin does not support {usual}"


def _precision(description: GeneratorDescription, requested: str, device: str) -> str:
    allowed = description.needs.precisions
    if requested not in ("auto", *allowed):
        raise UsageError(
            f"{description.name} supports precision {' or '.join(allowed)}, got {requested}; give one of these, or auto"
        )
    return resolve_precision(requested, device, allowed)
