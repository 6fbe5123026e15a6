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

from genaug.augmentation import varied
from genaug.classifier import Standardise
from genaug.config import AllowedChanges, TrainConfig
from genaug.data.split import TrainSplit
from genaug.generator import Batch, Trainable
from genaug.images import to_float
from genaug.mixing.batches import EpochBatches
from genaug.mixing.collate import Collate, MixedBatch
from genaug.mixing.live import MixedDataset
from genaug.spec import ImageSpec
from genaug.studies.networks import SMALL, make_network
from genaug.training import Muon, resolve_precision, train

_BATCH = 64
_RATE = 1e-3
_WARMUP, _FINAL_RATE = 0.3, 0.02  # of the small network
_SMOOTHING = 0.05  # of targets
_DEGREES, _HUE = 15.0, 18.0  # most that an image is turned, and its colours
_CHUNK = 256

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

    allowed: what may change when an image is shown, anew in each step; None to show the images themselves.
    """

    def __init__(
        self,
        spec: ImageSpec,
        classifier: ClassifierSpec,
        mixed: MixedDataset,
        allowed: AllowedChanges | None,
        seed: int,
    ) -> None:
        self.spec, self.networks = spec, {}
        self._classifier, self._mixed, self._allowed = classifier, mixed, allowed
        self._collate = Collate(mixed.recipe, seed)

    def build(self) -> dict[str, nn.Module]:
        """One network: images [N, C, H, W] to logits [N, K]."""
        network = make_network(self._classifier.network, self.spec, self._classifier.weights)
        for layer in network.modules():
            if isinstance(layer, Standardise):
                layer.fit(to_float(self._mixed.images))
        return {"classifier": network}

    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        """The mean cross-entropy with smoothed targets, each image with its weight."""
        mixed = self._mixed_batch(batch)
        logits = self.networks["classifier"](mixed.images).float()
        losses = F.cross_entropy(logits, mixed.targets, reduction="none", label_smoothing=_SMOOTHING)
        yield "classifier", (losses * mixed.weights).sum() / mixed.weights.sum()

    def optimizer(self, name: str) -> torch.optim.Optimizer:
        """Muon for the small network, AdamW for all others: learning rate 1e-3, weight decay 1e-2."""
        if self._classifier.network == SMALL:
            return Muon.for_network(self.networks[name])
        return torch.optim.AdamW(self.networks[name].parameters(), lr=_RATE, weight_decay=1e-2)

    @torch.no_grad()
    def predict(self, images: NDArray[np.uint8]) -> Rows:
        """The most probable label of each image: uint8 [N, H, W, C] to int64 [N]."""
        network = self.networks["classifier"].eval()
        parts = [to_float(images[start : start + _CHUNK]) for start in range(0, len(images), _CHUNK)]
        return torch.cat([network(part.to(self._classifier.device)).argmax(dim=1).cpu() for part in parts]).numpy()

    def _mixed_batch(self, batch: Batch) -> MixedBatch:
        rows, device = batch.rows.cpu(), batch.images.device
        targets, weights = self._mixed.targets[rows].to(device), self._mixed.weights[rows].to(device)
        synthetic = self._mixed.synthetic[rows].float().to(device)
        mixed = MixedBatch(self._shown(batch), targets, weights, synthetic, rows)
        return self._collate.blended(mixed) if self._mixed.recipe.blends else mixed

    def _shown(self, batch: Batch) -> Tensor:
        """The images of a batch, each changed in its own way where the arm is to be augmented."""
        allowed = self._allowed
        if allowed is None:
            return batch.images
        turns, hues = (_DEGREES if allowed.turns else 0.0), (_HUE if allowed.hue else 0.0)
        return varied(batch.images, batch.noise, degrees=turns, hue=hues, flips=allowed.flips)


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
    allowed: AllowedChanges | None,
    batch: int,
    seed: int,
) -> Learner:
    """A classifier trained on the images of one arm. batch: images per step. allowed: as in `Learner`."""
    counts = np.bincount(mixed.labels, minlength=len(mixed.classes))
    spec = replace(spec, counts=tuple(counts.tolist()))
    learner = Learner(spec, classifier, mixed, allowed, seed)
    rows = np.arange(len(mixed), dtype=np.int64)
    names = tuple(map(str, rows.tolist()))
    small = classifier.network == SMALL
    warm = min(round(_WARMUP * classifier.steps) if small else 20, classifier.steps - 1)
    train(
        learner,
        TrainSplit(spec, mixed.images, mixed.labels.numpy(), rows, names),
        TrainConfig(
            steps=classifier.steps,
            batch_size=batch,
            schedule="cosine",
            warmup_steps=warm,
            final_rate=_FINAL_RATE if small else 0.0,
        ),
        seed=seed,
        device=classifier.device,
        precision=resolve_precision("auto", classifier.device),
        order=RecipeOrder(mixed, batch_size=batch, steps=classifier.steps, seed=seed),
    )
    return learner


def batch_size(real: int) -> int:
    """Images per step, the same for all arms: even, since blends are of pairs, and never more than the real images."""
    return max(2, min(_BATCH, real) // 2 * 2)
