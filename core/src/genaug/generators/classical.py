"""Classical augmentation as a generator: variants of training images; flips only where the settings name them."""

import numpy as np
from torch import Tensor

from genaug.augmentation import variants
from genaug.chance import Noise
from genaug.generator import Drawn
from genaug.generators.oversample import Remembering
from genaug.generators.plugin import ClassicalConfig
from genaug.images import to_float

_SEEDS = 2**62


class Classical(Remembering[ClassicalConfig]):
    """Albumentations variants of random training images of the requested class."""

    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        """One variant of a training image for each label; the parent is that training image."""
        places = self.parents(labels, noise)
        originals = self.memory["images"][places].cpu().numpy()
        seeds = noise.integers(_SEEDS).tolist()
        images = [
            variants(original[None], self.config.pipeline, 1, seed, self.config)
            for original, seed in zip(originals, seeds, strict=True)
        ]
        return Drawn(to_float(np.concatenate(images)), self.memory["rows"][places].unsqueeze(1))
