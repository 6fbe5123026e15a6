"""The settings of a study: its splits, the length of its trainings, its classifier and its arms."""

from typing import Literal, Self

from pydantic import model_validator

from genaug.config import Closed, option
from genaug.errors import UsageError
from genaug.mixing.recipe import RecipeConfig, parse_recipe


class StudyConfig(Closed):
    """How a study finds out whether synthetic images help."""

    folds: int = option(5, "Number of cross-validation folds; near-duplicates share a fold.", ge=2, le=20)
    on: Literal["auto", "folds", "split"] = option(
        "auto",
        "What scores the classifiers: folds of the training images, or the test split; auto takes a test split of at "
        "least 30 images of every class.",
    )
    repeats: int | None = option(
        None,
        "Repetitions of the cross-validation, each with new folds, or of the trainings that a test split scores; if "
        "left out 2 or 3, or with a budget as many as fit.",
        unit="times",
        ge=1,
        le=100,
    )
    seeds: int = option(
        2,
        "Classifiers trained for each arm and split, each with its own seed; their scores are averaged.",
        ge=1,
        le=100,
    )
    steps: int | None = option(
        None,
        "Training steps of each classifier, the same for all arms; if left out, they are doubled from 400, up to 3200, "
        "until training without synthetic images stops gaining.",
        unit="steps",
        ge=1,
        le=1_000_000,
    )
    classifier: str = option("small", "Classifier: small, or the name of a model of torchvision or timm.")
    frozen: bool = option(
        False, "Keep the weights of the classifier as its file holds them, and train a linear layer on its features."
    )
    recipes: tuple[str, ...] = option(
        ("concatenate",), "Recipes that combine real and synthetic images; each has arms of its own."
    )
    counts: tuple[int, ...] = option(
        (), "Numbers of synthetic images per class, each with arms of its own; if left out, the number of the plan."
    )
    alone: bool = option(True, "Add an arm of synthetic images alone, if the plan has images of every class.")

    @model_validator(mode="after")
    def _possible_counts(self) -> Self:
        if any(not 0 <= count <= 1_000_000 for count in self.counts):
            raise ValueError("expected numbers of images from 0 to 1000000")
        if self.counts and not any(self.counts):
            raise ValueError("expected at least one number of images above 0")
        return self

    def parsed_recipes(self) -> tuple[RecipeConfig, ...]:
        """The recipes without repetitions; raises UsageError if one cannot be read or there is none."""
        if not self.recipes:
            raise UsageError("a study needs at least one recipe, such as concatenate")
        return tuple(dict.fromkeys(parse_recipe(text) for text in self.recipes))
