"""A generated image on its way from the generator to the output."""

from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Kind = Literal["classical", "generated"]


class ImageSource(Protocol):
    """Images of one generator and class by their index: a table in memory, or files."""

    def __getitem__(self, index: int, /) -> NDArray[np.uint8]:
        """Pixels uint8 [H, W, C] at the model size."""
        ...


@dataclass(frozen=True)
class Candidate:
    """One generated image. Its class and the training images it relates to are numbers; writers look up the names.

    images: from which its pixels are read, by its index. label: its class, in [0, K). generator: the generator's name.
    index: its number among the candidates of that generator and class. model: SHA-256 of the weights that drew it.
    parents: training rows that the generator used. source: the training row that it most likely comes from: the parent
    that looks most like it, or the nearest training image where there is no parent. nearest: the training row whose
    thumbnail is most like its own; distance: 1 - correlation of the two thumbnails, in [0, 2].
    scores: in [0, 1], by selector. rejected_by: the selector that rejected it, empty for an accepted candidate; reason:
    why; copied: the training row that it copies, if that is why. weight: its weight in the training loss, as the recipe
    says.
    kind: classical for a variant or copy of one real image, generated for everything else. tops_up: whether it brings
    the real side of its class to the size of the largest one; recipes then leave it alone.
    """

    images: ImageSource
    label: int
    generator: str
    index: int
    model: str
    parents: tuple[int, ...]
    source: int
    nearest: int
    distance: float
    scores: dict[str, float] = field(default_factory=dict)
    rejected_by: str = ""
    reason: str = ""
    copied: int | None = None
    weight: float = 1.0
    kind: Kind = "generated"
    tops_up: bool = False

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """uint8 [H, W, C] at the model size."""
        return self.images[self.index]

    def with_score(self, selector: str, score: float) -> "Candidate":
        """The same candidate with one more score."""
        return replace(self, scores=self.scores | {selector: score})

    def rejected(self, selector: str, reason: str, copied: int | None = None) -> "Candidate":
        """The same candidate, rejected. copied: the training row that it copies."""
        return replace(self, rejected_by=selector, reason=reason, copied=copied)

    def with_weight(self, weight: float) -> "Candidate":
        """The same candidate with another weight in the loss."""
        return replace(self, weight=weight)
