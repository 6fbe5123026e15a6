"""The arms of a study: what each classifier is trained on, everything else being equal."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from genaug.mixing.recipe import RecipeConfig

_PLAIN = RecipeConfig()


@dataclass(frozen=True)
class Arm:
    """What one classifier is trained on.

    generator: whose synthetic images, None for real images alone. real: whether real images are among them. classical:
    whether all images are varied anew whenever they are shown. balanced: whether every class is shown equally often.
    count: synthetic images for each class, None for all that the plan gives.
    """

    generator: str | None = None
    real: bool = True
    classical: bool = False
    balanced: bool = False
    recipe: RecipeConfig = _PLAIN
    count: int | None = None

    @property
    def synthetic(self) -> bool:
        """Whether synthetic images take part."""
        return self.generator is not None

    @property
    def name(self) -> str:
        """For people and tables: `classical + 50 NAME (anneal), balanced`."""
        base = ("classical" if self.classical else "real") if self.real else ""
        made = "" if self.generator is None else f"{_number(self.count)}{self.generator}{_told(self.recipe)}"
        words = " + ".join(part for part in (base, made) if part)
        words = words if self.real else f"{words} only"
        return f"{words}, balanced" if self.balanced else words

    def to_json(self) -> dict[str, Any]:
        """Plain values that tell this arm from all others."""
        return asdict(self) | {"recipe": self.recipe.model_dump(mode="json")}


def real_arms() -> tuple[Arm, ...]:
    """The arms without synthetic images, the simplest first."""
    both = (False, True)
    return tuple(Arm(classical=classical, balanced=balanced) for classical in both for balanced in both)


def synthetic_arms(
    generators: Sequence[str], recipes: Sequence[RecipeConfig], counts: Sequence[int], *, uneven: bool, alone: bool
) -> tuple[Arm, ...]:
    """For each generator and dose: synthetic images with real ones, with classical variants of both, and alone.

    uneven: whether real and synthetic images together leave classes of unlike size; then each has a balanced twin.
    alone: whether synthetic images without real ones are an arm.
    """
    doses: list[int | None] = [count for count in counts if count] or [None]
    pairs = [(name, dose) for name in generators for dose in doses]
    arms = (_of(name, dose, recipes, uneven=uneven, alone=alone) for name, dose in pairs)
    return tuple(dict.fromkeys(arm for some in arms for arm in some))


def _of(name: str, dose: int | None, recipes: Sequence[RecipeConfig], *, uneven: bool, alone: bool) -> Iterator[Arm]:
    for recipe in recipes:
        for classical in (False, True):
            yield Arm(name, classical=classical, balanced=recipe.balanced, recipe=_plain(recipe), count=dose)
            if uneven:
                yield Arm(name, classical=classical, balanced=True, recipe=_plain(recipe), count=dose)
    if alone:
        yield Arm(name, real=False, count=dose)


def _plain(recipe: RecipeConfig) -> RecipeConfig:
    """Balance is the arm's own."""
    return recipe.model_copy(update={"balanced": False})


def _number(count: int | None) -> str:
    return "" if count is None else f"{count} "


def _told(recipe: RecipeConfig) -> str:
    """` (cap=0.5, weight=0.3)`, nothing for the plain recipe."""
    own = {key: value for key, value in recipe.model_dump().items() if value != RecipeConfig.model_fields[key].default}
    mode = own.pop("mode", None)
    words = [*([mode] if mode else []), *(key if value is True else f"{key}={value}" for key, value in own.items())]
    return f" ({', '.join(words)})" if words else ""
