"""The settings of a whole run: what a config file may hold."""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, field_validator, model_validator

from genaug.config import Closed, option, read_file
from genaug.errors import UsageError
from genaug.overrides import duration, names
from genaug.overrides import size as parse_size
from genaug.spec import check_side
from genaug.targets.plan import MixConfig


class SelectConfig(Closed):
    """How candidates are selected for the data set, and what happens if too few are kept."""

    select: tuple[str, ...] = option(
        ("novelty", "consistency"),
        "Selectors in the order in which they judge; selectors that compare all candidates, such as diversity, come "
        "last. The word none keeps all candidates.",
    )
    selectors: dict[str, dict[str, Any]] = option({}, "Settings of selectors, by selector name.")
    overdraw: float = option(
        4.0,
        "At most this many candidates are drawn for each requested image; the total is rounded up to a multiple of 16.",
        unit="times",
        ge=1.0,
        le=100.0,
    )
    on_shortfall: Literal["classical", "oversample", "leave", "fail"] = option(
        "classical",
        "If too few candidates of a class are kept: fill up with classical variants or copies of real images, leave "
        "the class short, or fail.",
    )
    judge_steps: int = option(
        400,
        "Training steps of each classifier that judges images; a quarter of them for those that tell generated images "
        "from real ones.",
        unit="steps",
        ge=1,
        le=1_000_000,
    )

    @field_validator("select", mode="before")
    @classmethod
    def _listed(cls, select: Any) -> Any:
        """Accepts a text as on the command line: names separated by commas. An empty list selects nothing: none."""
        return (names(select) if isinstance(select, str) else select) or ("none",)


class RunConfig(MixConfig, SelectConfig):
    """The settings of a whole run, which are the keys of a config file."""

    generator: str | None = option(
        None,
        "Generator to train, or several with shares: NAME=0.3,OTHER=0.7; if left out, the first in the list of "
        "`genaug plugins`.",
    )
    preset: str = option("auto", "Preset of the generator: auto, small, paper or another one that it has.")
    model: dict[str, Any] = option({}, "Generator's own settings that differ from the preset.")
    train: dict[str, Any] = option({}, "Settings of the training loop that differ from the preset.")
    augmentation: dict[str, Any] = option({}, "Settings of augmentation that differ from the preset.")
    generators: dict[str, dict[str, Any]] = option(
        {}, "For several generators: preset, model, train and augmentation of each, by generator name."
    )
    recipe: str = option(
        "concatenate",
        "How synthetic images are mixed with real ones: concatenate, cap=RATIO, weight=W, or several of these.",
    )
    probe: bool = option(
        False, "Let the label-safety probe decide which flips, rotations and hue shifts augmentation may use."
    )
    gate: bool = option(False, "Run a quick study first; write synthetic images only if the study recommends them.")
    check: bool = option(
        True,
        "Before a run ends, train small classifiers with and without the synthetic images, and say so if they harm.",
    )
    only_synthetic: bool = option(False, "Write only the synthetic images.")
    format: Literal["folder", "webdataset", "parquet"] = option(
        "folder", "Output format: class folders, tar shards (WebDataset) or Parquet shards."
    )
    classes: tuple[str, ...] | None = option(None, "Classes to use; all if left out.")
    groups: str | None = option(
        None,
        "Images that belong together, as those of one patient or one video: a CSV file of file,group lines, or a "
        "regular expression whose parenthesis finds the group in a file name. No group is on both sides of a split.",
    )
    resolution: int | str = option(
        "real",
        "Size of the written training images. real: your files stay as they are, and each generated image gets a size "
        "drawn from the real images of its class. A number from 8 to 4096: all of them, yours too, become PNG files "
        "with that shorter side; your own folder stays as it is.",
        unit="pixels",
    )
    train_size: int | None = option(
        None,
        "Shorter side at which you will train a classifier; generated and real images are compared at this size. If "
        "left out, that of resolution, or the median shorter side of the training images.",
        unit="pixels",
        ge=8,
        le=4096,
    )
    size: tuple[int, int] | None = option(
        None,
        "Height and width at which models work, multiples of 8 in [16, 1024], as far as the generators allow; chosen "
        "from the data if left out.",
        unit="pixels",
    )
    resize: Literal["auto", "fit", "crop", "stretch"] = option(
        "auto",
        "How images are resized to that size: fit pads, crop keeps the centre, stretch changes the aspect ratio.",
    )
    seed: int = option(0, "Random seed of the run.", ge=0, le=2**63 - 1)
    device: str = option("auto", "Device to train and draw images on: auto, cpu, cuda, cuda:N or mps.")
    budget: int | None = option(
        None,
        "Time for the whole run, such as 10m or 1h30m. Trainings are made as much shorter as needed, from a few "
        "measured steps; the run says what it gave up.",
        unit="seconds",
        ge=1,
        le=10_000_000,
    )

    @field_validator("recipe", mode="before")
    @classmethod
    def _as_text(cls, recipe: Any) -> Any:
        """Turns a RecipeConfig or {key: value} into the text that means the same."""
        values = recipe.model_dump(exclude_defaults=True) if isinstance(recipe, BaseModel) else recipe
        if not isinstance(values, dict):
            return recipe
        given = [f"{key}={value}" for key, value in values.items() if key != "mode" and value is not None]
        return ",".join([str(values.get("mode", "concatenate")), *given])

    @field_validator("classes", mode="before")
    @classmethod
    def _names(cls, classes: Any) -> Any:
        """Accepts a text as on the command line: names separated by commas."""
        return names(classes) if isinstance(classes, str) else classes

    @field_validator("size", mode="before")
    @classmethod
    def _height_and_width(cls, size: Any) -> Any:
        """Accepts one number for both, and a text as on the command line: 64 or 64x96."""
        return (size, size) if isinstance(size, int) else parse_size(size) if isinstance(size, str) else size

    @field_validator("resolution", mode="before")
    @classmethod
    def _real_or_pixels(cls, resolution: Any) -> Any:
        """Accepts numbers as text, as on the command line."""
        given = int(resolution) if isinstance(resolution, str) and resolution.isdecimal() else resolution
        if given != "real" and not (type(given) is int and 8 <= given <= 4096):
            raise ValueError("expected real or a number of pixels from 8 to 4096")
        return given

    @field_validator("budget", mode="before")
    @classmethod
    def _in_seconds(cls, budget: Any) -> Any:
        """Accepts a time as on the command line: 10m."""
        return duration(budget) if isinstance(budget, str) else budget

    @model_validator(mode="after")
    def _no_gate_within_a_budget(self) -> Self:
        if self.gate and self.budget is not None:
            raise ValueError("a budget leaves no time for the quick study of gate; give one of them")
        return self

    @model_validator(mode="after")
    def _valid_size(self) -> Self:
        for side in self.size or ():
            check_side(side)
        return self


def read_settings(path: Path) -> dict[str, Any]:
    """The keys and values of a config file; a key may be spelt as the option of the command line: per-class.

    Raises UsageError.
    """
    values: dict[str, Any] = {}
    for spelt, value in read_file(path).items():
        key = spelt.replace("-", "_")
        if key in values:
            raise UsageError(f"the config file {path} gives {key} twice; write it once")
        values[key] = value
    return values
