"""A recipe: how synthetic and real images are combined when a classifier is trained."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, Self

from pydantic import model_validator

from genaug.config import Closed, option, parse
from genaug.errors import UsageError, unknown
from genaug.overrides import read_assignments

# mode -> the setting that `mode=value` sets
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
    """How synthetic and real images are combined. A folder can hold `concatenate`, `cap` and `weight` only."""

    mode: Literal["concatenate", "replace", "anneal", "pretrain", "mixup", "cutmix"] = option(
        "concatenate", "How real and synthetic images are put into batches."
    )
    cap: float | None = option(
        None,
        "At most this many synthetic images for each real image of the class; None for no limit. The best scores are "
        "used first; without scores, the first images drawn.",
        unit="ratio",
        gt=0.0,
        le=1e6,
    )
    probability: float = option(
        0.5, "replace: probability that a real image is replaced by a synthetic one of its class.", gt=0.0, le=1.0
    )
    start: float = option(0.5, "anneal: share of synthetic images at the beginning.", unit="share", gt=0.0, le=1.0)
    end: float = option(
        0.0,
        "anneal: share of synthetic images at the end; it changes in a straight line.",
        unit="share",
        ge=0.0,
        lt=1.0,
    )
    share: float = option(
        0.5, "pretrain: share of the training on synthetic images alone, before real images alone.", gt=0.0, lt=1.0
    )
    alpha: float = option(
        1.0,
        "mixup, cutmix: both parameters of the Beta distribution of the blending share; 1 is uniform.",
        gt=0.0,
        le=100.0,
    )
    weight: float = option(1.0, "Weight of a synthetic image in the loss; a real one has 1.", gt=0.0, le=100.0)
    weight_by_score: bool = option(
        False, "Multiply the weight of a synthetic image by the lowest of its selectors' scores."
    )
    soft_labels: float = option(
        0.0,
        "Share of a synthetic image's label that is taken from the cross-fitted classifier's probabilities.",
        ge=0.0,
        le=1.0,
    )
    balanced: bool = option(
        False,
        "Show every class equally often. If a recipe draws real and synthetic images separately, this holds for both.",
    )

    @property
    def blends(self) -> bool:
        """Whether each real image is blended with a synthetic one."""
        return self.mode in ("mixup", "cutmix")

    @model_validator(mode="after")
    def _settings_of_the_mode(self) -> Self:
        for key in ("probability", "start", "end", "share", "alpha"):
            if key in self._changed() and self.mode not in (owners := _owners(key)):
                raise ValueError(f"{key} belongs to {' and '.join(owners)}, got it with {self.mode}")
        return self

    @model_validator(mode="after")
    def _settings_that_agree(self) -> Self:
        if self.start <= self.end:
            raise ValueError(f"expected a start above the end, got {self.start} and {self.end}")
        if self.mode == "pretrain" and "weight" in self._changed():
            raise ValueError(
                "weight has no effect in pretrain, whose batches never hold both real and synthetic images"
            )
        return self

    def _changed(self) -> set[str]:
        """Settings that differ from their defaults; a recipe read from a run's record holds all settings."""
        return {key for key, field in type(self).model_fields.items() if getattr(self, key) != field.default}


def parse_recipe(recipe: RecipeConfig | Mapping[str, Any] | str) -> RecipeConfig:
    """A recipe from itself, from {key: value}, or from a text such as `anneal` or `cap=0.5,weight=0.3`.

    A text holds at most one mode (`replace`, or `replace=0.25` with its main setting) and settings, between commas.
    Raises UsageError that names the most similar known word.
    """
    if isinstance(recipe, RecipeConfig):
        return recipe
    if isinstance(recipe, str):
        return parse(RecipeConfig, _values(recipe), "recipe")
    if isinstance(recipe, Mapping):
        return parse(RecipeConfig, recipe, "recipe")
    raise UsageError(f"a recipe is a text such as 'anneal', a dict or a RecipeConfig, got {type(recipe).__name__}")


def require_storable(recipe: RecipeConfig) -> None:
    """Raise UsageError for a recipe that a folder cannot hold."""
    if parts := list(_live_parts(recipe)):
        ways = "augment().live" if recipe.soft_labels else "augment().live or genaug.output.reopen.open_mixed"
        raise UsageError(
            f"a folder cannot hold what happens during training ({', '.join(parts)}): write it with concatenate, cap "
            f"or weight, and train with this recipe in Python ({ways})"
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
