"""The settings of a study: how often data are split, how long each arm trains, and which classifier is asked."""

from typing import Literal, Self

from pydantic import model_validator

from genaug.config import Closed, option
from genaug.errors import UsageError
from genaug.mixing.recipe import RecipeConfig, parse_recipe


class StudyConfig(Closed):
    """How a study asks whether synthetic images help."""

    folds: int = option(5, "Parts of which one is held out at a time; near-duplicates share a part.", ge=2, le=20)
    repeats: int | None = option(
        None,
        "Times that the images are dealt out anew; 2 when left out, and as many as fit into a budget.",
        unit="times",
        ge=1,
        le=100,
    )
    seeds: int = option(2, "Classifiers of each arm in each split, whose scores are averaged.", ge=1, le=100)
    steps: int = option(
        1500, "Training steps of each classifier, the same for all arms.", unit="steps", ge=1, le=1_000_000
    )
    classifier: str = option("small", "Classifier: small, or a model of torchvision or timm by its name.")
    recipes: tuple[str, ...] = option(("concatenate",), "Recipes by which synthetic images meet real ones.")
    classical: Literal["light", "paper"] = option("light", "Albumentations pipeline of the classical arms.")
    counts: tuple[int, ...] = option(
        (), "Synthetic images for each class, each number an arm of its own; as the plan says when left out."
    )
    alone: bool = option(
        True, "Also ask how far synthetic images go without real ones, where every class is to get some."
    )

    @model_validator(mode="after")
    def _counts_that_can_be(self) -> Self:
        if any(not 0 <= count <= 1_000_000 for count in self.counts):
            raise ValueError("expected numbers of images from 0 to 1000000")
        if self.counts and not any(self.counts):
            raise ValueError("expected at least one number of images above 0")
        return self

    def parsed_recipes(self) -> tuple[RecipeConfig, ...]:
        """The recipes, each once; raises UsageError for one that cannot be read, or for none."""
        if not self.recipes:
            raise UsageError("a study needs at least one recipe, such as concatenate")
        return tuple(dict.fromkeys(parse_recipe(text) for text in self.recipes))
