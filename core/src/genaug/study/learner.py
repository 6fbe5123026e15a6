"""A classifier in training on what an arm prescribes, for as many steps as any other arm."""

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
from genaug.mixing.collate import Batch as LiveBatch
from genaug.mixing.collate import Collate
from genaug.mixing.live import MixedDataset
from genaug.spec import ImageSpec
from genaug.study.networks import SMALL, make_network
from genaug.training import resolve_precision, train

_BATCH = 32
_RATES = {SMALL: 3e-3}
_RATE = 1e-3
_CHUNK = 256
_VARIANTS = 12
_BANK_BYTES = 2**29

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Asked:
    """Which classifier is asked, and how long it trains.

    network: its name. weights: a file that it begins with. sha256: of that file, empty without one.
    """

    network: str
    weights: Path | None
    sha256: str
    steps: int
    device: str

    def key(self) -> list[Any]:
        """What decides a classifier, as plain values."""
        return [self.network, self.sha256, self.steps, self.device.partition(":")[0]]


class Learner(Trainable):
    """A named network that is trained on mixed images: their targets, weights, blends, and variants where there are."""

    def __init__(
        self, spec: ImageSpec, asked: Asked, mixed: MixedDataset, variants_of: NDArray[np.uint8] | None, seed: int
    ) -> None:
        self.spec, self.networks = spec, {}
        self._asked, self._mixed, self._variants = asked, mixed, variants_of
        self._collate = Collate(mixed.recipe, seed)

    def build(self) -> dict[str, nn.Module]:
        """One network: images [N, C, H, W] to logits [N, K]."""
        return {"classifier": make_network(self._asked.network, self.spec, self._asked.weights)}

    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        """The mean cross-entropy, each image with its weight."""
        shown = self._shown(batch)
        losses = F.cross_entropy(self.networks["classifier"](shown.images).float(), shown.targets, reduction="none")
        yield "classifier", (losses * shown.weights).sum() / shown.weights.sum()

    def optimizer(self, name: str) -> torch.optim.Optimizer:
        """AdamW, weight decay 1e-2, learning rate 3e-3 for the small network and 1e-3 for all others."""
        rate = _RATES.get(self._asked.network, _RATE)
        return torch.optim.AdamW(self.networks[name].parameters(), lr=rate, weight_decay=1e-2)

    @torch.no_grad()
    def predict(self, images: NDArray[np.uint8]) -> Rows:
        """uint8 [N, H, W, C] to the labels that it finds most likely, int64 [N]."""
        network = self.networks["classifier"].eval()
        parts = [to_float(images[start : start + _CHUNK]) for start in range(0, len(images), _CHUNK)]
        return torch.cat([network(part.to(self._asked.device)).argmax(dim=1).cpu() for part in parts]).numpy()

    def _shown(self, batch: Batch) -> LiveBatch:
        rows = batch.rows.cpu()
        images = batch.images if self._variants is None else self._varied(batch, self._variants)
        targets, weights = self._mixed.targets[rows], self._mixed.weights[rows]
        device = batch.images.device
        shown = LiveBatch(
            images, targets.to(device), weights.to(device), self._mixed.synthetic[rows].float().to(device), rows
        )
        return self._collate.blended(shown) if self._mixed.recipe.blends else shown

    def _varied(self, batch: Batch, made: NDArray[np.uint8]) -> Tensor:
        """One of the variants of each image, shifted by up to an eighth."""
        choice = batch.noise.integers(made.shape[1]).cpu().numpy()
        images = to_float(made[batch.rows.cpu().numpy(), choice]).to(batch.images.device)
        return differentiable(images, ("translation",), batch.noise)


def classical_variants(
    images: NDArray[np.uint8], pipeline: str, allowed: AllowedChanges, *, shown: int, seed: int
) -> NDArray[np.uint8]:
    """Albumentations variants of uint8 [N, H, W, C], made once for all steps: uint8 [N, V, H, W, C].

    shown: images that a training shows in all. V is 12, less where so many are not shown, or would not fit into half a
    gigabyte.
    """
    times = max(1, min(_VARIANTS, math.ceil(shown / len(images)), _BANK_BYTES // images.nbytes))
    return variants(images, pipeline, times, seed, allowed).reshape(len(images), times, *images.shape[1:])


class RecipeOrder:
    """What `EpochBatches` shows in epoch after epoch, as one sequence without end that is cut into steps."""

    def __init__(self, mixed: MixedDataset, *, batch_size: int, steps: int, seed: int) -> None:
        images = EpochBatches(mixed, batch_size=batch_size, epochs=1, seed=seed).images
        epochs = math.ceil(steps * batch_size / images)
        batches = EpochBatches(mixed, batch_size=batch_size, epochs=epochs, seed=seed)
        self._images = images
        self._epoch: Callable[[int], Rows] = lru_cache(maxsize=4)(batches.rows)

    def rows(self, step: int, batch_size: int) -> Rows:
        """Indices int64 [batch_size] of one step."""
        places = np.arange(step * batch_size, (step + 1) * batch_size)
        return np.array([self._epoch(place // self._images)[place % self._images] for place in places.tolist()])


def learn(
    spec: ImageSpec,
    mixed: MixedDataset,
    asked: Asked,
    *,
    variants_of: NDArray[np.uint8] | None,
    batch: int,
    seed: int,
) -> Learner:
    """A classifier trained on one arm. variants_of: uint8 [N, V, H, W, C] of all its images, None for none."""
    counts = np.bincount(mixed.labels, minlength=len(mixed.classes))
    spec = replace(spec, counts=tuple(counts.tolist()))
    learner = Learner(spec, asked, mixed, variants_of, seed)
    rows = np.arange(len(mixed), dtype=np.int64)
    names = tuple(map(str, rows.tolist()))
    warm = min(20, asked.steps - 1)
    train(
        learner,
        TrainSplit(spec, mixed.images, mixed.labels.numpy(), rows, names),
        TrainConfig(steps=asked.steps, batch_size=batch, schedule="cosine", warmup_steps=warm),
        seed=seed,
        device=asked.device,
        precision=resolve_precision("auto", asked.device),
        order=RecipeOrder(mixed, batch_size=batch, steps=asked.steps, seed=seed),
    )
    return learner


def batch_size(real: int) -> int:
    """Images per step, the same for all arms: never more than real images, and even, since blends are of pairs."""
    return max(2, min(_BATCH, real) // 2 * 2)
