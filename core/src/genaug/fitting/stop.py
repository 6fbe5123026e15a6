"""When to stop: once drawn images come closer to training images than those are to each other."""

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
    """Says stop when more than a share of 64 images are copies, by pixel distances that follow the number of images.

    How long a generator can train before it repeats its images grows with their number (Bonnaire et al. 2025,
    arXiv 2505.17638), which no fixed number of steps can know. known: what samples may lean on, the split if None.
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
        self._kin = groups[:, None] == groups

    def __call__(self, step: int) -> bool:
        """Draw with the networks as they are; the same step draws with the same noise."""
        take_memory(self._generator, self._known, seed=self._seed, device=self._device)
        noise = Noise.per_image(self._seed, "stop", [(step, image) for image in range(_IMAGES)])
        drawn = ModelSampler(self._generator, self._device).sample(self._labels(), noise)
        known = to_float(self._known.images).flatten(1)
        return bool(copies(known, drawn.images.flatten(1), _QUANTILE, self._kin).double().mean() > self._share)

    def _labels(self) -> Tensor:
        """The classes of the split in turn."""
        present = torch.from_numpy(self._split.labels).unique()
        labels: Tensor = present[torch.arange(_IMAGES) % len(present)]
        return labels
