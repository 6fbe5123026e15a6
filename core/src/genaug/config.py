"""Frozen settings classes that refuse unknown keys, and functions that read them from files and dictionaries.

A config file is validated in two stages: the keys of core first, then the settings of each plugin by its own class.
"""

from collections import Counter
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, Literal, Self, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from genaug.errors import LONGEST, UsageError, shown, unknown
from genaug.spec import ImageSpec

__all__ = [
    "AugmentationConfig",
    "GeneratorConfig",
    "MetricConfig",
    "Preset",
    "SelectorConfig",
    "TrainConfig",
    "changed",
    "option",
]

Settings = TypeVar("Settings", bound="Closed")


def option(
    default: Any,
    description: str,
    *,
    unit: str = "",
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    multiple_of: int | None = None,
) -> Any:
    """A settings field with its bounds, unit and description; `genaug plugins show` and `--set` are made from them."""
    return Field(
        default,
        description=description,
        ge=ge,
        gt=gt,
        le=le,
        lt=lt,
        multiple_of=multiple_of,
        json_schema_extra={"unit": unit},
    )


class Closed(BaseModel):
    """A frozen settings class that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=())

    @model_validator(mode="before")
    @classmethod
    def _no_yes_as_number(cls, values: Any) -> Any:
        """Refuse true and false, which YAML also writes as yes and no, where a number is expected."""
        for key, value in values.items() if isinstance(values, dict) else ():
            field = cls.model_fields.get(key)
            if isinstance(value, bool) and field is not None and not _takes_bool(field.annotation):
                raise ValueError(f"{key}: true and false are no value of this key; got {value}")
        return values


class GeneratorConfig(Closed):
    """Base class of a generator's own settings."""

    def check(self, spec: ImageSpec) -> None:
        """Raise UsageError if these settings cannot work with images of this spec; called before any training."""

    def borrows(self) -> bool:
        """Whether images of one class may use training images of other classes, which its model must then store too."""
        return False


class MetricConfig(Closed):
    """Base class of a metric's own settings."""


class SelectorConfig(Closed):
    """Base class of a selector's own settings."""


class TrainConfig(Closed):
    """Settings of the training loop: length, batches, learning-rate schedule, precision, checkpoints."""

    steps: int | None = option(
        None, "Length of the training; give either steps or epochs.", unit="steps", ge=1, le=100_000_000
    )
    epochs: int | None = option(
        None,
        "Length of the training in passes over the training images, after enlargement.",
        unit="epochs",
        ge=1,
        le=10_000_000,
    )
    batch_size: int = option(
        32, "Images per step; at most the number of training images, after enlargement.", unit="images", ge=1, le=65_536
    )
    accumulation: int = option(
        1, "Steps whose gradients are averaged for one update of the weights.", unit="steps", ge=1, le=10_000
    )
    balanced: bool = option(False, "Train on every class equally often, whatever its number of images.")
    schedule: Literal["constant", "cosine"] = option("constant", "Learning-rate schedule after the warm-up.")
    warmup_steps: int = option(
        0, "Steps in which the learning rate rises linearly from zero.", unit="steps", ge=0, le=1_000_000
    )
    final_rate: float = option(
        0.0, "Share of the learning rate at the end of the schedule cosine.", unit="share", ge=0.0, le=1.0
    )
    clip_norm: float | None = option(
        None,
        "Largest norm of the gradient of one network; larger ones are scaled down. None for no limit.",
        gt=0,
        le=1e6,
    )
    average_decay: float = option(
        0.0,
        "Decay of the exponential moving average of the weights that images are drawn with; 0 for no average.",
        ge=0.0,
        lt=1.0,
    )
    specialise_steps: int = option(
        0,
        "Steps of fine-tuning: a model is trained on all classes, then a copy of it on each class alone; 0 for none.",
        unit="steps",
        ge=0,
        le=100_000_000,
    )
    stop_at_copies: float | None = option(
        None,
        "Stop the training if more than this share of generated images are copies; tested at every checkpoint. A copy "
        "is closer to a training image, in pixels, than the 1st percentile of the distances from each training image "
        "to the nearest other one, near-duplicates excluded.",
        unit="share",
        ge=0.0,
        lt=1.0,
    )
    precision: Literal["auto", "no", "bf16", "fp16"] = option(
        "auto",
        "Mixed precision; auto uses bf16 if the hardware supports it natively, fp16 on older CUDA devices, else no.",
    )
    checkpoint_steps: int | None = option(
        None,
        "Steps between checkpoints; a twentieth of the training if left out.",
        unit="steps",
        ge=1,
        le=100_000_000,
    )

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if (self.steps is None) == (self.epochs is None):
            raise ValueError("expected either steps or epochs")
        return self


class AllowedChanges(Closed):
    """Changes of images that may make their labels wrong. Images are flipped only if flips are configured."""

    flips: tuple[Literal["horizontal", "vertical"], ...] = option((), "Flips of variants, each with probability 0.5.")
    turns: bool = option(True, "Let the pipeline rotate images, by at most 15 degrees.")
    hue: bool = option(True, "Let the pipeline shift hues, by at most 18 degrees of the colour circle.")


class AugmentationConfig(AllowedChanges):
    """How the training images are augmented before a generator is trained on them."""

    pipeline: Literal["none", "light", "paper"] = option("none", "Albumentations pipeline that creates the variants.")
    enlargement: int = option(
        1,
        "Variants per training image, created once before training: the enlargement factor of the paper.",
        unit="times",
        ge=1,
        le=100,
    )


class Preset(Closed):
    """All settings that decide a fit: the generator's own, the training loop's, and those of augmentation."""

    model: GeneratorConfig
    train: TrainConfig
    augmentation: AugmentationConfig = AugmentationConfig()


def read_file(path: Path) -> dict[str, Any]:
    """The keys and values of a YAML or JSON config file; raises UsageError if it cannot be read."""
    try:
        values = yaml.load(_regular(path).read_text("utf-8"), _UniqueKeys)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0][:LONGEST]
        raise UsageError(f"the config file {path} cannot be read: {reason}") from error
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise UsageError(f"the config file {path} must contain keys and values such as 'per_class: 100'")
    return values


class _UniqueKeys(yaml.SafeLoader):
    """Refuses a key that is given twice; YAML's own loader would use the last one and say nothing."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        counts = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        for key, count in counts.items():
            if count > 1:
                raise yaml.constructor.ConstructorError(problem=f"the key {shown(key)} is given {count} times")
        return super().construct_mapping(node, deep)


def _regular(path: Path) -> Path:
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise ValueError("it is no regular file")  # reading a pipe or a device would not end
    return path


def parse(settings: type[Settings], values: Mapping[str, Any], where: str) -> Settings:
    """Settings from a dictionary; raises UsageError that suggests the most similar key or names the bad value.

    where: what the values belong to, for messages.
    """
    for key in values:
        if key not in settings.model_fields:
            raise unknown(f"key of {where}", key, settings.model_fields)
    try:
        return settings.model_validate(dict(values))
    except ValidationError as error:
        raise UsageError(f"{where}: {_first_fault(error)}") from error


def changed(settings: Settings, changes: Mapping[str, Any], where: str) -> Settings:
    """A copy with some fields changed; all fields are validated again. Raises UsageError."""
    return parse(type(settings), laid_over(settings.model_dump(), changes), where)


def laid_over(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Values updated by changes; steps and epochs both state the length, so a new one removes the old other one."""
    replaced = {
        other
        for key, other in (("steps", "epochs"), ("epochs", "steps"))
        if changes.get(key) is not None and other not in changes
    }
    return {key: value for key, value in values.items() if key not in replaced} | dict(changes)


def _takes_bool(kind: Any) -> bool:
    """Whether a field's type allows true and false."""
    return kind in (bool, Any) or any(_takes_bool(part) for part in get_args(kind))


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in fault["loc"])
    message = fault["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    return f"{place}: {message}, got {shown(fault['input'])}" if place else message
