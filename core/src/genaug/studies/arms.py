"""The arms of a study: what each classifier is trained on, everything else being equal."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from genaug.mixing.recipe import RecipeConfig

_CONCATENATE = RecipeConfig()


@dataclass(frozen=True)
class Arm:
    """What one classifier is trained on.

    generator: the generator, or mixture of generators, of its synthetic images; None for real images alone. real:
    whether it has real images. classical: whether all its images are replaced by classical variants, another one
    whenever an image is shown. balanced: whether every class is shown equally often. count: the number of synthetic
    images per class; None for all images of the plan.
    """

    generator: str | None = None
    real: bool = True
    classical: bool = False
    balanced: bool = False
    recipe: RecipeConfig = _CONCATENATE
    count: int | None = None

    @property
    def synthetic(self) -> bool:
        """Whether it has synthetic images."""
        return self.generator is not None

    @property
    def name(self) -> str:
        """Its name in tables and sentences, such as `classical + 50 NAME (anneal), balanced`."""
        real = ("classical" if self.classical else "real") if self.real else ""
        count = "" if self.count is None else f"{self.count} "
        synthetic = "" if self.generator is None else f"{count}{self.generator}{_recipe_text(self.recipe)}"
        words = " + ".join(part for part in (real, synthetic) if part)
        words = words if self.real else f"{words} only"
        return f"{words}, balanced" if self.balanced else words

    def to_json(self) -> dict[str, Any]:
        """Plain values that identify this arm."""
        return asdict(self) | {"recipe": self.recipe.model_dump(mode="json")}


def real_arms() -> tuple[Arm, ...]:
    """The arms without synthetic images, the simplest first."""
    both = (False, True)
    return tuple(Arm(classical=classical, balanced=balanced) for classical in both for balanced in both)


def synthetic_arms(
    generators: Sequence[str], recipes: Sequence[RecipeConfig], counts: Sequence[int], *, uneven: bool, alone: bool
) -> tuple[Arm, ...]:
    """The arms of each generator and count: with real images, with classical variants of both, and without real images.

    counts: numbers of synthetic images per class; a 0 among them adds no arm. uneven: whether classes differ in size
    when real and synthetic images are together; then each arm also has a balanced twin. alone: whether to add the arms
    without real images.
    """
    numbers: list[int | None] = [count for count in counts if count] or [None]
    pairs = [(name, number) for name in generators for number in numbers]
    arms = (_arms_of(name, number, recipes, uneven=uneven, alone=alone) for name, number in pairs)
    return tuple(dict.fromkeys(arm for group in arms for arm in group))


def _arms_of(
    name: str, count: int | None, recipes: Sequence[RecipeConfig], *, uneven: bool, alone: bool
) -> Iterator[Arm]:
    for recipe in recipes:
        mixed = recipe.model_copy(update={"balanced": False})  # the arm says itself whether it is balanced
        for classical in (False, True):
            yield Arm(name, classical=classical, balanced=recipe.balanced, recipe=mixed, count=count)
            if uneven:
                yield Arm(name, classical=classical, balanced=True, recipe=mixed, count=count)
    if alone:
        yield Arm(name, real=False, count=count)


def _recipe_text(recipe: RecipeConfig) -> str:
    """` (cap=0.5, weight=0.3)`: the settings that differ from the defaults; nothing if there are none."""
    changed = {
        key: value for key, value in recipe.model_dump().items() if value != RecipeConfig.model_fields[key].default
    }
    mode = changed.pop("mode", None)
    words = [*([mode] if mode else []), *(key if value is True else f"{key}={value}" for key, value in changed.items())]
    return f" ({', '.join(words)})" if words else ""
