"""Closed, frozen configuration, and the two-stage reading of a file: core's part, then the plugin's own class."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from genaug.errors import UsageError, unknown
from genaug.spec import ImageSpec, check_side

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
    """A config field with its bounds, unit and description: what `genaug plugins show` and `--set` are made from."""
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


class GeneratorConfig(Closed):
    """Base of every generator's own settings."""

    def check(self, spec: ImageSpec) -> None:
        """Raise UsageError where these settings cannot work with such images; asked before any training."""

    def borrows(self) -> bool:
        """Whether images of a class may lean on training images of others, which a model of it then has to remember."""
        return False


class MetricConfig(Closed):
    """Base of every metric's own settings."""


class SelectorConfig(Closed):
    """Base of every selector's own settings."""


class TrainConfig(Closed):
    """How the loop trains: length, batches, learning-rate schedule, precision, checkpoints."""

    steps: int | None = option(
        None, "Length of the training; give steps or epochs.", unit="steps", ge=1, le=100_000_000
    )
    epochs: int | None = option(
        None,
        "Length of the training in passes over the (enlarged) training images.",
        unit="epochs",
        ge=1,
        le=10_000_000,
    )
    batch_size: int = option(
        32, "Images per step; never more than the (enlarged) training images.", unit="images", ge=1, le=65_536
    )
    accumulation: int = option(
        1, "Steps whose gradients are averaged before the weights move.", unit="steps", ge=1, le=10_000
    )
    balanced: bool = option(False, "Show every class equally often, whatever its number of images.")
    schedule: Literal["constant", "cosine"] = option("constant", "Course of the learning rate after the warm-up.")
    warmup_steps: int = option(
        0, "Steps over which the learning rate rises from zero.", unit="steps", ge=0, le=1_000_000
    )
    clip_norm: float | None = option(
        None, "Largest norm of the gradient of one network; none for no limit.", gt=0, le=1e6
    )
    average_decay: float = option(
        0.0, "Decay of the exponential average of the sampled networks; 0 for no average.", ge=0.0, lt=1.0
    )
    specialise_steps: int = option(
        0,
        "Steps of a model of each class's own, begun from one that is trained over all classes first; 0 for none.",
        unit="steps",
        ge=0,
        le=100_000_000,
    )
    stop_at_copies: float | None = option(
        None,
        "Stop when more than this share of drawn images are copies: closer to a training image, in pixels, than the "
        "1st percentile of the leave-one-out distances among those, near-duplicates aside. Looked at with every "
        "checkpoint.",
        unit="share",
        ge=0.0,
        lt=1.0,
    )
    precision: Literal["auto", "no", "bf16", "fp16"] = option(
        "auto", "Mixed precision; auto follows the hardware: bf16 where it is native, fp16 on older CUDA, else no."
    )
    checkpoint_steps: int | None = option(
        None,
        "Steps between checkpoints; a twentieth of the training when left out.",
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
    """Changes of images that may harm labels. Flips are made only where they are asked for."""

    flips: tuple[Literal["horizontal", "vertical"], ...] = option((), "Flips of variants, each half of the time.")
    turns: bool = option(True, "Let the pipeline turn images, by 15 degrees at the most.")
    hue: bool = option(True, "Let the pipeline shift hues, by 18 degrees of the colour circle at the most.")


class AugmentationConfig(AllowedChanges):
    """What is done to the training images before the generator sees them."""

    pipeline: Literal["none", "light", "paper"] = option("none", "Albumentations pipeline that makes the variants.")
    enlargement: int = option(
        1, "Variants per training image, made once: the enlargement factor of the paper.", unit="times", ge=1, le=100
    )


class Preset(Closed):
    """All that decides a fit: the generator's own settings, the loop's, and the augmentation of its training images."""

    model: GeneratorConfig
    train: TrainConfig
    augmentation: AugmentationConfig = AugmentationConfig()


class MixConfig(Closed):
    """How many synthetic images each class gets. At most one of the three spellings."""

    per_class: int | None = option(None, "New images for every class.", unit="images", ge=0, le=1_000_000)
    balance: str | None = option(
        None, "Fill every class up to: max, median, a number of images, or a ratio of the largest class such as 0.5."
    )
    targets: dict[str, int] | None = option(None, "New images by class name; classes left out get none.", unit="images")

    @model_validator(mode="after")
    def _one_spelling(self) -> Self:
        given = [name for name in ("per_class", "balance", "targets") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"expected one of per_class, balance, targets, got {' and '.join(given)}")
        return self


class SelectConfig(Closed):
    """Which candidates come into the data set, and what happens when too few do."""

    select: tuple[str, ...] = option(
        ("novelty", "consistency"),
        "Selectors in the order in which they are asked, those that choose the best last; none for all candidates.",
    )
    selectors: dict[str, dict[str, Any]] = option({}, "Settings of selectors, by their names.")
    overdraw: float = option(
        4.0,
        "Candidates drawn at the most for each wanted image; rounded up to 16 candidates.",
        unit="times",
        ge=1.0,
        le=100.0,
    )
    on_shortfall: Literal["classical", "oversample", "leave", "fail"] = option(
        "classical",
        "Where too few candidates are kept: fill up with classical variants or copies of real images, leave the class "
        "short, or fail.",
    )
    judge_steps: int = option(
        800, "Training steps of each of the classifiers that judge.", unit="steps", ge=1, le=1_000_000
    )

    @field_validator("select", mode="before")
    @classmethod
    def _listed(cls, select: Any) -> Any:
        """A text as on the command line: names between commas."""
        return tuple(name.strip() for name in select.split(",")) if isinstance(select, str) else select


class RunConfig(MixConfig, SelectConfig):
    """A whole run: what a config file holds. Every key has an option of the command line."""

    generator: str | None = option(
        None, "Generator to train, or several with shares: NAME=0.3,OTHER=0.7; the first in rank when left out."
    )
    preset: str = option("auto", "Named settings of the generator: auto, small, paper or one of its own.")
    model: dict[str, Any] = option({}, "Changes to the generator's own settings, over the preset.")
    train: dict[str, Any] = option({}, "Changes to the loop's settings, over the preset.")
    augmentation: dict[str, Any] = option({}, "Changes to the augmentation settings, over the preset.")
    generators: dict[str, dict[str, Any]] = option(
        {}, "Of several generators, the preset, model, train and augmentation of each, by its name."
    )
    recipe: str = option(
        "concatenate", "How synthetic images meet real ones: concatenate, cap=RATIO, weight=W, or several of these."
    )
    probe: bool = option(False, "Let the label-safety probe decide which flips, turns and hues augmentation may use.")
    gate: bool = option(
        False, "Ask a quick study first, and write synthetic images only where it recommends arms that have them."
    )
    only_synthetic: bool = option(False, "Write the synthetic images alone.")
    format: Literal["folder", "webdataset", "parquet"] = option(
        "folder", "How images are written: class folders, tar shards, or Parquet shards."
    )
    classes: tuple[str, ...] | None = option(None, "Classes to use; all when left out.")
    size: tuple[int, int] | None = option(
        None, "Height and width at which models work, multiples of 8 in [16, 256].", unit="pixels"
    )
    resize: Literal["auto", "fit", "crop", "stretch"] = option(
        "auto", "How images come to that size: fit pads, crop cuts the centre, stretch changes the aspect."
    )
    seed: int = option(0, "Seed of the run.", ge=0, le=2**63 - 1)
    device: str = option("auto", "Where to train: auto, cpu, cuda, cuda:N or mps.")

    @field_validator("recipe", mode="before")
    @classmethod
    def _spelled(cls, recipe: Any) -> Any:
        """A RecipeConfig or {key: value} as the text that means the same."""
        values = recipe.model_dump(exclude_defaults=True) if isinstance(recipe, BaseModel) else recipe
        if not isinstance(values, dict):
            return recipe
        given = [f"{key}={value}" for key, value in values.items() if key != "mode" and value is not None]
        return ",".join([str(values.get("mode", "concatenate")), *given])

    @model_validator(mode="after")
    def _sides_of_models(self) -> Self:
        for side in self.size or ():
            check_side(side)
        return self


def read_file(path: Path) -> dict[str, Any]:
    """The keys of a YAML or JSON config file; raises UsageError when it cannot be read as such."""
    try:
        values = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise UsageError(f"the config file {path} cannot be read: {reason}") from error
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise UsageError(f"the config file {path} must hold keys and values such as 'per_class: 100'")
    return values


def parse(settings: type[Settings], values: Mapping[str, Any], where: str) -> Settings:
    """Settings from plain values; raises UsageError that names the nearest right key or the bad value."""
    for key in values:
        if key not in settings.model_fields:
            raise unknown(f"key of {where}", key, settings.model_fields)
    try:
        return settings.model_validate(dict(values))
    except ValidationError as error:
        raise UsageError(f"{where}: {_first_fault(error)}") from error


def changed(settings: Settings, changes: Mapping[str, Any], where: str) -> Settings:
    """A copy with some fields changed and everything validated anew."""
    return parse(type(settings), laid_over(settings.model_dump(), changes), where)


def laid_over(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Values with changes over them; steps and epochs are two spellings of one length, so one takes the other away."""
    replaced = {
        other
        for spelling, other in (("steps", "epochs"), ("epochs", "steps"))
        if changes.get(spelling) is not None and other not in changes
    }
    return {key: value for key, value in values.items() if key not in replaced} | dict(changes)


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in fault["loc"])
    message = fault["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    return f"{place}: {message}, got {fault['input']!r}" if place else message
