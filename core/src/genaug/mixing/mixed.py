"""What a run made: the real images as they came, the synthetic ones with their origin, and what failed."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genaug.data.folder import LoadedFolder
from genaug.mixing.names import synthetic_name


@dataclass(frozen=True)
class Synthetic:
    """One synthetic image: pixels uint8 [H, W, C], its class, and where it came from.

    index: its number among the images of its generator and class. parents: names of the real files it leans on.
    nearest: the real training file that looks most like it. distance: between their thumbnails, see data.duplicates.
    """

    pixels: NDArray[np.uint8]
    label: str
    generator: str
    index: int
    parents: tuple[str, ...]
    nearest: str
    distance: float

    @property
    def name(self) -> str:
        """Its file name inside the folder of its class."""
        return synthetic_name(self.generator, self.index)


@dataclass(frozen=True)
class Mixed:
    """Real and synthetic images of one run.

    plan: new images wanted, by class. failures: why a class got none, by class. record: what run.json says of the run.
    """

    loaded: LoadedFolder
    synthetic: tuple[Synthetic, ...]
    plan: dict[str, int]
    failures: dict[str, str]
    record: dict[str, Any]

    def counts(self) -> dict[str, dict[str, int]]:
        """Real and synthetic images of the training split, by class."""
        drawn = dict.fromkeys(self.loaded.spec.classes, 0)
        for image in self.synthetic:
            drawn[image.label] += 1
        real = dict(zip(self.loaded.spec.classes, self.loaded.spec.counts, strict=True))
        return {name: {"real": real[name], "synthetic": drawn[name]} for name in real}
