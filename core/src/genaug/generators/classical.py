"""Classical augmentation as a generator: label-safe variants of training images, flipped only when told."""

import numpy as np
from torch import Tensor

from genaug.augmentation import variants
from genaug.builtin import ClassicalConfig
from genaug.chance import Noise
from genaug.generator import Drawn
from genaug.generators.oversample import Remembering
from genaug.images import to_float

_SEEDS = 2**62


class Classical(Remembering[ClassicalConfig]):
    """One Albumentations variant of a training image of the wanted class."""

    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        """Variants of training images; the parent is the image that was varied."""
        places = self.parents(labels, noise)
        originals = self.memory["images"][places].cpu().numpy()
        seeds = noise.integers(_SEEDS).tolist()
        made = [
            variants(original[None], self.config.pipeline, 1, seed, self.config)
            for original, seed in zip(originals, seeds, strict=True)
        ]
        return Drawn(to_float(np.concatenate(made)), self.memory["rows"][places].unsqueeze(1))
