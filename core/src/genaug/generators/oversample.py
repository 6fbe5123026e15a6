"""Oversampling as a generator: repeats training images of the requested class, unchanged."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from genaug.chance import Noise
from genaug.generator import Batch, Config, Drawn, Generator, VariantGenerator
from genaug.generators.plugin import OversampleConfig
from genaug.layers.memory import choose, keep_images, kept_images


class Remembering(Generator[Config]):
    """Base of generators that have no networks and draw from stored training images."""

    def build(self) -> dict[str, nn.Module]:
        """No networks."""
        return {}

    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        """No losses."""
        yield from ()

    def remember(self, known: Batch) -> dict[str, Tensor]:
        """The training images with their labels and row ids."""
        return keep_images(known)

    def parents(self, labels: Tensor, noise: Noise) -> Tensor:
        """For each label the index of a stored image of that class, all equally likely: int64 [N]."""
        return choose(self.memory["labels"], labels, noise.uniform())


class Oversample(Remembering[OversampleConfig], VariantGenerator[OversampleConfig]):
    """Copies of random training images of the requested class."""

    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        """One copy of a training image for each label; the parent is that training image."""
        places = self.parents(labels, noise)
        images = kept_images(self.memory, places)
        return Drawn(images, self.memory["rows"][places].unsqueeze(1))

    def from_original(self, original: NDArray[np.uint8], noise: Noise) -> NDArray[np.uint8]:
        """The original."""
        return original
