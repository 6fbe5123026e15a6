"""Stop rule of a training: stop when drawn images are closer to training images than those are to each other."""

import torch
from torch import Tensor

from genaug.chance import Noise
from genaug.data.split import TrainSplit
from genaug.features import near_groups
from genaug.fitting.model import take_memory
from genaug.fitting.sampler import ModelSampler
from genaug.generator import AnyGenerator
from genaug.images import to_float
from genaug.metrics.functional import copies

_IMAGES = 64
_QUANTILE = 0.01


class CopyWatch:
    """A stop rule: True when more than `share` of 64 drawn images are copies of training images.

    A copy is closer to a training image, in pixels, than the 1st percentile of the leave-one-out distances among the
    training images, near-duplicates aside. A generator can train the longer before it copies, the more images it has
    (Bonnaire et al. 2025, arXiv 2505.17638), so a fixed number of steps does not fit every data set.
    split: images that the model is trained on. known: images that it may store and draw from; `split` if None.
    """

    def __init__(
        self,
        generator: AnyGenerator,
        split: TrainSplit,
        *,
        share: float,
        seed: int,
        device: str,
        known: TrainSplit | None = None,
    ) -> None:
        self._generator, self._split, self._known = generator, split, known or split
        self._share, self._seed, self._device = share, seed, device
        groups = torch.from_numpy(near_groups(self._known))
        self._related = groups[:, None] == groups

    def __call__(self, step: int) -> bool:
        """Draw 64 images with the present networks and count the copies; the same step draws with the same noise."""
        take_memory(self._generator, self._known, seed=self._seed, device=self._device)
        noise = Noise.per_image(self._seed, "stop", [(step, image) for image in range(_IMAGES)])
        drawn = ModelSampler(self._generator, self._device, self._split.spec).sample(self._labels(), noise)
        known = to_float(self._known.images).flatten(1)
        return bool(copies(known, drawn.images.flatten(1), _QUANTILE, self._related).double().mean() > self._share)

    def _labels(self) -> Tensor:
        """64 labels: the classes of the split in turn."""
        present = torch.from_numpy(self._split.labels).unique()
        labels: Tensor = present[torch.arange(_IMAGES) % len(present)]
        return labels
