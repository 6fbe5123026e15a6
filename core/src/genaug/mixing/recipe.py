"""A recipe: how synthetic images meet real ones while a classifier trains."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, Self

from pydantic import model_validator

from genaug.assignment import read_assignments
from genaug.config import Closed, option, parse
from genaug.errors import UsageError, unknown

# mode -> the setting that `mode=value` gives
MODES = {
    "concatenate": None,
    "replace": "probability",
    "anneal": "start",
    "pretrain": "share",
    "mixup": "alpha",
    "cutmix": "alpha",
}
_FLAGS = ("balanced", "weight_by_score")


class RecipeConfig(Closed):
    """How synthetic images meet real ones. What changes with time or from batch to batch cannot be a folder."""

    mode: Literal["concatenate", "replace", "anneal", "pretrain", "mixup", "cutmix"] = option(
        "concatenate", "How real and synthetic images share the batches."
    )
    cap: float | None = option(
        None,
        "Most synthetic images per real image of their class; the best scored are kept, without scores the first. "
        "None for all.",
        unit="ratio",
        gt=0.0,
        le=1e6,
    )
    probability: float = option(
        0.5, "replace: chance of a real image to give its place to a synthetic one of its class.", gt=0.0, le=1.0
    )
    start: float = option(0.5, "anneal: share of synthetic images at the beginning.", unit="share", gt=0.0, le=1.0)
    end: float = option(
        0.0, "anneal: share of synthetic images at the end, reached in a straight line.", unit="share", ge=0.0, lt=1.0
    )
    share: float = option(
        0.5, "pretrain: part of the training on synthetic images alone, before real ones alone.", gt=0.0, lt=1.0
    )
    alpha: float = option(
        1.0, "mixup, cutmix: both parameters of the Beta distribution of the shares; 1 is uniform.", gt=0.0, le=100.0
    )
    weight: float = option(1.0, "Weight of a synthetic image in the loss; a real one has 1.", gt=0.0, le=100.0)
    weight_by_score: bool = option(False, "Multiply the weight of a synthetic image by its selector's score.")
    soft_labels: float = option(
        0.0, "Part of a synthetic image's label that is the cross-fitted classifier's opinion.", ge=0.0, le=1.0
    )
    balanced: bool = option(
        False, "Show every class equally often; where real and synthetic images are drawn apart, in each of the two."
    )

    @property
    def foldable(self) -> bool:
        """Whether a folder can hold it: then one image is one file with one weight, whenever it is shown."""
        return not any(_live_parts(self))

    @property
    def blends(self) -> bool:
        """Whether each image is blended with one of the other origin."""
        return self.mode in ("mixup", "cutmix")

    @model_validator(mode="after")
    def _settings_of_the_mode(self) -> Self:
        for key in ("probability", "start", "end", "share", "alpha"):
            if key in self._changed() and self.mode not in (owners := _owners(key)):
                raise ValueError(f"{key} belongs to {' and '.join(owners)}, got it with {self.mode}")
        return self

    @model_validator(mode="after")
    def _sense(self) -> Self:
        if self.start <= self.end:
            raise ValueError(f"expected a start above the end, got {self.start} and {self.end}")
        if self.mode == "pretrain" and "weight" in self._changed():
            raise ValueError("weight does nothing in pretrain, whose synthetic images meet no real ones in a batch")
        return self

    def _changed(self) -> set[str]:
        """Settings that differ from their defaults; a recipe read back from run.json names all of them."""
        return {key for key, field in type(self).model_fields.items() if getattr(self, key) != field.default}


def parse_recipe(wish: RecipeConfig | Mapping[str, Any] | str) -> RecipeConfig:
    """A recipe from any spelling: itself, {key: value}, or a text such as `anneal` or `cap=0.5,weight=0.3`.

    A text has at most one mode (`replace`, or `replace=0.25` for its main setting), and settings, between commas.
    Raises UsageError that names the nearest right word.
    """
    if isinstance(wish, RecipeConfig):
        return wish
    if isinstance(wish, str):
        return parse(RecipeConfig, _values(wish), "recipe")
    if isinstance(wish, Mapping):
        return parse(RecipeConfig, wish, "recipe")
    raise UsageError(f"a recipe is a text such as 'anneal', a dict or a RecipeConfig, got {type(wish).__name__}")


def require_foldable(recipe: RecipeConfig) -> None:
    """Raise UsageError for a recipe that no folder can hold; before anything is trained for it."""
    if parts := list(_live_parts(recipe)):
        doors = "augment().live" if recipe.soft_labels else "augment().live or genaug.mixing.reopen.open_mixed"
        raise UsageError(
            f"a folder cannot hold what happens during training ({', '.join(parts)}): write it with concatenate, cap "
            f"or weight, and train with this recipe in Python ({doors})"
        )


def _live_parts(recipe: RecipeConfig) -> Iterator[str]:
    if recipe.mode != "concatenate":
        yield recipe.mode
    yield from (key for key in ("weight_by_score", "soft_labels", "balanced") if getattr(recipe, key))


def _owners(key: str) -> list[str]:
    return ["anneal"] if key == "end" else [mode for mode, main in MODES.items() if main == key]


def _values(text: str) -> dict[str, Any]:
    """`anneal=0.4,balanced` to {"mode": "anneal", "start": 0.4, "balanced": True}."""
    values: dict[str, Any] = {}
    for part in text.split(","):
        for key, value in _assignments(part.strip()).items():
            if key in values:
                raise UsageError(f"recipe: {key} is given twice in {text!r}")
            values[key] = value
    return values


def _assignments(part: str) -> dict[str, Any]:
    word, equals, value = (piece.strip() for piece in part.partition("="))
    if word not in MODES and word not in RecipeConfig.model_fields:
        raise unknown("word in a recipe", word, {*MODES, *RecipeConfig.model_fields})
    if not equals and word in _FLAGS:
        return {word: True}
    if not equals and word in MODES:
        return {"mode": word}
    if not value:
        raise UsageError(f"recipe: {word} needs a value, as in {word}=0.5")
    given = read_assignments([part])[word]
    return _with_mode(word, given) if word in MODES else {word: given}


def _with_mode(mode: str, value: Any) -> dict[str, Any]:
    main = MODES[mode]
    if main is None:
        raise UsageError(f"recipe: {mode} takes no value, got {value!r}")
    return {"mode": mode, main: value}
