"""Trains one classifier on the images of an arm, for the same number of steps in every arm."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from genaug.augmentation import differentiable, variants
from genaug.config import AllowedChanges, TrainConfig
from genaug.data.split import TrainSplit
from genaug.generator import Batch, Trainable
from genaug.images import to_float
from genaug.mixing.batches import EpochBatches
from genaug.mixing.collate import Collate, MixedBatch
from genaug.mixing.live import MixedDataset
from genaug.spec import ImageSpec
from genaug.studies.networks import SMALL, make_network
from genaug.training import resolve_precision, train

_BATCH = 32
_RATES = {SMALL: 3e-3}
_RATE = 1e-3
_CHUNK = 256
_VARIANTS = 12
_VARIANT_BYTES = 2**29

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class ClassifierSpec:
    """A classifier and the length of its training.

    network: its name. weights: a file of initial weights; None for random ones. sha256: the hash of that file, empty
    without one. steps: training steps.
    """

    network: str
    weights: Path | None
    sha256: str
    steps: int
    device: str

    def key(self) -> list[Any]:
        """Plain values that decide the trained classifier, for hashes."""
        return [self.network, self.sha256, self.steps, self.device.partition(":")[0]]


class Learner(Trainable):
    """A classifier network and the mixed images that it is trained on, with their targets, weights and blends.

    variant_images: uint8 [N, V, H, W, C], variants of all images, of which each step shows a random one; None to show
    the images themselves.
    """

    def __init__(
        self,
        spec: ImageSpec,
        classifier: ClassifierSpec,
        mixed: MixedDataset,
        variant_images: NDArray[np.uint8] | None,
        seed: int,
    ) -> None:
        self.spec, self.networks = spec, {}
        self._classifier, self._mixed, self._variant_images = classifier, mixed, variant_images
        self._collate = Collate(mixed.recipe, seed)

    def build(self) -> dict[str, nn.Module]:
        """One network: images [N, C, H, W] to logits [N, K]."""
        return {"classifier": make_network(self._classifier.network, self.spec, self._classifier.weights)}

    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        """The mean cross-entropy, each image with its weight."""
        mixed = self._mixed_batch(batch)
        losses = F.cross_entropy(self.networks["classifier"](mixed.images).float(), mixed.targets, reduction="none")
        yield "classifier", (losses * mixed.weights).sum() / mixed.weights.sum()

    def optimizer(self, name: str) -> torch.optim.Optimizer:
        """AdamW, weight decay 1e-2, learning rate 3e-3 for the small network and 1e-3 for all others."""
        rate = _RATES.get(self._classifier.network, _RATE)
        return torch.optim.AdamW(self.networks[name].parameters(), lr=rate, weight_decay=1e-2)

    @torch.no_grad()
    def predict(self, images: NDArray[np.uint8]) -> Rows:
        """The most probable label of each image: uint8 [N, H, W, C] to int64 [N]."""
        network = self.networks["classifier"].eval()
        parts = [to_float(images[start : start + _CHUNK]) for start in range(0, len(images), _CHUNK)]
        return torch.cat([network(part.to(self._classifier.device)).argmax(dim=1).cpu() for part in parts]).numpy()

    def _mixed_batch(self, batch: Batch) -> MixedBatch:
        rows, device = batch.rows.cpu(), batch.images.device
        images = batch.images if self._variant_images is None else self._random_variants(batch, self._variant_images)
        targets, weights = self._mixed.targets[rows].to(device), self._mixed.weights[rows].to(device)
        synthetic = self._mixed.synthetic[rows].float().to(device)
        mixed = MixedBatch(images, targets, weights, synthetic, rows)
        return self._collate.blended(mixed) if self._mixed.recipe.blends else mixed

    def _random_variants(self, batch: Batch, variant_images: NDArray[np.uint8]) -> Tensor:
        """One of the variants of each image, shifted by up to an eighth of its height and width."""
        choice = batch.noise.integers(variant_images.shape[1]).cpu().numpy()
        images = to_float(variant_images[batch.rows.cpu().numpy(), choice]).to(batch.images.device)
        return differentiable(images, ("translation",), batch.noise)


def classical_variants(
    images: NDArray[np.uint8], pipeline: str, allowed: AllowedChanges, *, shown: int, seed: int
) -> NDArray[np.uint8]:
    """Albumentations variants of images, computed once for a whole training: uint8 [N, H, W, C] to [N, V, H, W, C].

    shown: the number of images that the training shows in all. V is 12, or less if fewer are shown per image or if more
    would not fit into half a gigabyte.
    """
    times = max(1, min(_VARIANTS, math.ceil(shown / len(images)), _VARIANT_BYTES // images.nbytes))
    return variants(images, pipeline, times, seed, allowed).reshape(len(images), times, *images.shape[1:])


class RecipeOrder:
    """The rows of the epochs of `EpochBatches`, one epoch after another, cut into batches of equal size."""

    def __init__(self, mixed: MixedDataset, *, batch_size: int, steps: int, seed: int) -> None:
        images = EpochBatches(mixed, batch_size=batch_size, epochs=1, seed=seed).images
        epochs = math.ceil(steps * batch_size / images)
        batches = EpochBatches(mixed, batch_size=batch_size, epochs=epochs, seed=seed)
        self._images = images
        self._epoch: Callable[[int], Rows] = lru_cache(maxsize=4)(batches.rows)

    def rows(self, step: int, batch_size: int) -> Rows:
        """The rows of one step, int64 [batch_size]."""
        indices = range(step * batch_size, (step + 1) * batch_size)
        return np.array([self._epoch(index // self._images)[index % self._images] for index in indices])


def learn(
    spec: ImageSpec,
    mixed: MixedDataset,
    classifier: ClassifierSpec,
    *,
    variant_images: NDArray[np.uint8] | None,
    batch: int,
    seed: int,
) -> Learner:
    """A classifier trained on the images of one arm. batch: images per step. variant_images: as in `Learner`."""
    counts = np.bincount(mixed.labels, minlength=len(mixed.classes))
    spec = replace(spec, counts=tuple(counts.tolist()))
    learner = Learner(spec, classifier, mixed, variant_images, seed)
    rows = np.arange(len(mixed), dtype=np.int64)
    names = tuple(map(str, rows.tolist()))
    warm = min(20, classifier.steps - 1)
    train(
        learner,
        TrainSplit(spec, mixed.images, mixed.labels.numpy(), rows, names),
        TrainConfig(steps=classifier.steps, batch_size=batch, schedule="cosine", warmup_steps=warm),
        seed=seed,
        device=classifier.device,
        precision=resolve_precision("auto", classifier.device),
        order=RecipeOrder(mixed, batch_size=batch, steps=classifier.steps, seed=seed),
    )
    return learner


def batch_size(real: int) -> int:
    """Images per step, the same for all arms: even, since blends are of pairs, and never more than the real images."""
    return max(2, min(_BATCH, real) // 2 * 2)
