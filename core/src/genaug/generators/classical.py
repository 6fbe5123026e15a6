"""Classical augmentation as a generator: variants of training images; flips only where the settings name them."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from genaug.augmentation import variants
from genaug.chance import Noise
from genaug.generator import Drawn, VariantGenerator
from genaug.generators.oversample import Remembering
from genaug.generators.plugin import ClassicalConfig
from genaug.images import to_float

_SEEDS = 2**62


class Classical(Remembering[ClassicalConfig], VariantGenerator[ClassicalConfig]):
    """Albumentations variants of random training images of the requested class."""

    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        """One variant of a training image for each label; the parent is that training image."""
        places = self.parents(labels, noise)
        originals = self.memory["images"][places].cpu().numpy()
        seeds = noise.integers(_SEEDS).tolist()
        images = [self._variant(original, seed) for original, seed in zip(originals, seeds, strict=True)]
        return Drawn(to_float(np.stack(images)), self.memory["rows"][places].unsqueeze(1))

    def from_original(self, original: NDArray[np.uint8], noise: Noise) -> NDArray[np.uint8]:
        """The same variant of the original at its own size."""
        noise.uniform()  # chose the parent
        return self._variant(original, int(noise.integers(_SEEDS)))

    def _variant(self, image: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
        variant: NDArray[np.uint8] = variants(image[None], self.config.pipeline, 1, seed, self.config)[0]
        return variant
