"""What a run made: the real images as they came, the synthetic ones with their origin, and what failed."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genaug.data.folder import LoadedFolder
from genaug.mixing.names import synthetic_name


@dataclass(frozen=True)
class Synthetic:
    """One synthetic image: pixels uint8 [H, W, C], its class, and where it came from.

    index: its number among the candidates of its generator and class. parents: names of the real files it leans on.
    stem: the training file that it is judged to stem from, the parent most like it or the nearest one.
    nearest: the real training file that looks most like it. distance: between their thumbnails, see data.duplicates.
    scores: in [0, 1] by selector. model: SHA-256 of the weights that drew it. weight: in the loss, of the recipe.
    """

    pixels: NDArray[np.uint8]
    label: str
    generator: str
    index: int
    parents: tuple[str, ...]
    stem: str
    nearest: str
    distance: float
    scores: dict[str, float]
    model: str
    weight: float = 1.0

    def weighing(self, weight: float) -> "Synthetic":
        """The same with another weight."""
        return replace(self, weight=weight)

    @property
    def name(self) -> str:
        """Its file name inside the folder of its class."""
        return synthetic_name(self.generator, self.index)


@dataclass(frozen=True)
class Rejection:
    """A candidate that did not come in: who rejected it, why, and the scores until then. pixels: uint8 [H, W, C]."""

    label: str
    generator: str
    index: int
    selector: str
    reason: str
    scores: dict[str, float]
    pixels: NDArray[np.uint8]

    @property
    def name(self) -> str:
        """`<class>/<file>`, as it would have been called."""
        return f"{self.label}/{synthetic_name(self.generator, self.index)}"


@dataclass(frozen=True)
class Mixed:
    """Real and synthetic images of one run.

    plan: new images wanted, by class. failures: why a class got none, by class. rejected: candidates that were turned
    away. shortfall: images by which classes are short of the plan, by class. record: what run.json says of the run.
    """

    loaded: LoadedFolder
    synthetic: tuple[Synthetic, ...]
    plan: dict[str, int]
    failures: dict[str, str]
    rejected: tuple[Rejection, ...]
    shortfall: dict[str, int]
    record: dict[str, Any]

    def rejections(self) -> dict[str, dict[str, int]]:
        """{class: {selector: candidates that it turned away}}, of classes that have some."""
        found: dict[str, dict[str, int]] = {}
        for one in self.rejected:
            mine = found.setdefault(one.label, {})
            mine[one.selector] = mine.get(one.selector, 0) + 1
        return found

    def fills(self) -> list[tuple[str, int, int, int, int]]:
        """(class, images wanted, kept by the selectors, filled up, missing) of classes where too few were kept."""
        filled = self.record["filled_up"]
        short = {name: filled.get(name, 0) + self.shortfall.get(name, 0) for name in self.plan}
        return [
            (name, self.plan[name], self.plan[name] - count, filled.get(name, 0), self.shortfall.get(name, 0))
            for name, count in short.items()
            if count
        ]

    def counts(self) -> dict[str, dict[str, int]]:
        """Real and synthetic images of the training split, by class."""
        drawn = dict.fromkeys(self.loaded.spec.classes, 0)
        for image in self.synthetic:
            drawn[image.label] += 1
        real = dict(zip(self.loaded.spec.classes, self.loaded.spec.counts, strict=True))
        return {name: {"real": real[name], "synthetic": drawn[name]} for name in real}
