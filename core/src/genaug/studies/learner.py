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

from genaug.classifier import Standardise
from genaug.config import AllowedChanges
from genaug.data.split import TrainSplit
from genaug.generator import Batch, Trainable
from genaug.images import to_float
from genaug.mixing.batches import EpochBatches
from genaug.mixing.collate import Collate, MixedBatch
from genaug.mixing.live import MixedDataset
from genaug.spec import ImageSpec
from genaug.studies.classifier_training import ClassifierTraining, ImageChanges, study_training
from genaug.studies.frozen import FeatureHead, frozen_features, frozen_network
from genaug.studies.networks import make_network
from genaug.studies.training_parts import SmoothedCrossEntropy, changed_images, make_optimizer
from genaug.training import Progress, resolve_precision, train

_CHUNK = 256

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class ClassifierSpec:
    """A classifier and the length of its training.

    network: its name. weights: a file of initial weights; None for random ones. sha256: the hash of that file, empty
    without one. steps: training steps. frozen: whether its weights stay, but for a linear layer on its features.
    """

    network: str
    weights: Path | None
    sha256: str
    steps: int
    device: str
    frozen: bool = False

    def key(self) -> list[Any]:
        """Plain values that decide the trained classifier, for hashes."""
        frozen = ["frozen"] if self.frozen else []
        return [self.network, self.sha256, self.steps, self.device.partition(":")[0], *frozen]


class Learner(Trainable):
    """A classifier network and the mixed images that it is trained on, with their targets, weights and blends."""

    def __init__(
        self,
        spec: ImageSpec,
        classifier: ClassifierSpec,
        mixed: MixedDataset,
        training: ClassifierTraining,
        seed: int,
    ) -> None:
        self.spec, self.networks = spec, {}
        self._classifier, self._mixed, self._training = classifier, mixed, training
        self._loss = SmoothedCrossEntropy(training.label_smoothing)
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
        yield "classifier", self._loss(self.networks["classifier"](mixed.images), mixed.targets, mixed.weights)

    def optimizer(self, name: str) -> torch.optim.Optimizer:
        """The optimiser of the training."""
        return make_optimizer(self._training.optimizer, self.networks[name])

    def predict(self, images: NDArray[np.uint8]) -> Rows:
        """The most probable label of each image: uint8 [N, H, W, C] to int64 [N]."""
        return self.logits(images).argmax(dim=1).numpy()

    def logits(self, images: NDArray[np.uint8]) -> Tensor:
        """The outputs of the last layer: uint8 [N, H, W, C] to float32 [N, K]."""
        return logits_of(self.networks["classifier"], images, self._classifier.device)

    def state(self) -> dict[str, Tensor]:
        """All tensors of the trained network by name, on the CPU."""
        found = self.networks["classifier"].state_dict().items()
        return {name: tensor.detach().cpu().contiguous() for name, tensor in found}

    def _mixed_batch(self, batch: Batch) -> MixedBatch:
        rows, device = batch.rows.cpu(), batch.images.device
        targets, weights = self._mixed.targets[rows].to(device), self._mixed.weights[rows].to(device)
        synthetic = self._mixed.synthetic[rows].float().to(device)
        mixed = MixedBatch(self._shown(batch), targets, weights, synthetic, rows)
        return self._collate.blended(mixed) if self._mixed.recipe.blends else mixed

    def _shown(self, batch: Batch) -> Tensor:
        """The images of a batch, each changed in its own way where the arm is to be augmented."""
        return changed_images(batch.images, batch.noise, self._training.augmentation)


class FrozenLearner(Learner):
    """A linear layer on the features of a frozen network, which are computed once for each image and changed copy.

    In each step an arm with augmentation shows each image as it is or as one of its copies, by chance.
    """

    def build(self) -> dict[str, nn.Module]:
        """One layer: features [N, D] to logits [N, K]."""
        self._table = self._features(self._mixed.images, self._training.augmentation)
        head = FeatureHead(self._table.shape[2], len(self._mixed.classes))
        head.fit(self._table[:, 0])
        return {"classifier": head}

    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        """The mean cross-entropy with smoothed targets, each image with its weight; features are blended as images."""
        copies = batch.noise.integers(self._table.shape[1]).cpu()
        features = self._table[batch.rows.cpu(), copies].to(batch.images.device)
        mixed = self._mixed_batch(replace(batch, images=features[:, :, None, None]))
        logits = self.networks["classifier"](mixed.images.flatten(1))
        yield "classifier", self._loss(logits, mixed.targets, mixed.weights)

    @torch.no_grad()
    def logits(self, images: NDArray[np.uint8]) -> Tensor:
        """The outputs of the last layer: uint8 [N, H, W, C] to float32 [N, K]."""
        features = self._features(images, None)[:, 0]
        head = self.networks["classifier"].eval().cpu()
        found: Tensor = head(features)
        return found

    def state(self) -> dict[str, Tensor]:
        """All tensors of the frozen network and of the trained layer by name, on the CPU."""
        network = frozen_network(self._classifier.network, self.spec, self._classifier.weights)
        network.head.load_state_dict(super().state())
        return {name: tensor.contiguous() for name, tensor in network.state_dict().items()}

    def _shown(self, batch: Batch) -> Tensor:
        return batch.images

    def _features(self, images: NDArray[np.uint8], changes: ImageChanges | None) -> Tensor:
        one, spec = self._classifier, self.spec
        size = spec.channels, spec.height, spec.width
        return frozen_features(one.network, one.weights, one.sha256, one.device, *size).of(images, changes)


@torch.no_grad()
def logits_of(network: nn.Module, images: NDArray[np.uint8], device: str = "cpu") -> Tensor:
    """The outputs of a classifier in eval mode: uint8 [N, H, W, C] to float32 [N, K], on the CPU."""
    network.eval()
    parts = [to_float(images[start : start + _CHUNK]) for start in range(0, len(images), _CHUNK)]
    return torch.cat([network(part.to(device)).float().cpu() for part in parts])


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
    """A classifier trained on the images of one arm of a study.

    batch: images per step. allowed: what may change when an image is shown; None to show the images themselves.
    """
    training = study_training(classifier.network, classifier.steps, batch, allowed, frozen=classifier.frozen)
    return fit_learner(spec, mixed, classifier, training, seed=seed)


def fit_learner(
    spec: ImageSpec,
    mixed: MixedDataset,
    classifier: ClassifierSpec,
    training: ClassifierTraining,
    *,
    seed: int,
    checkpoints: Path | None = None,
    report: Callable[[Progress], None] | None = None,
) -> Learner:
    """A classifier trained on mixed images. checkpoints: folder in which an interrupted training is continued."""
    counts = np.bincount(mixed.labels, minlength=len(mixed.classes))
    spec = replace(spec, counts=tuple(counts.tolist()))
    kind = FrozenLearner if classifier.frozen else Learner
    learner = kind(spec, classifier, mixed, training, seed)
    rows = np.arange(len(mixed), dtype=np.int64)
    names = tuple(map(str, rows.tolist()))
    train(
        learner,
        TrainSplit(spec, mixed.images, mixed.labels.numpy(), rows, names),
        training.loop(),
        seed=seed,
        device=classifier.device,
        precision=resolve_precision("auto", classifier.device),
        checkpoints=checkpoints,
        report=report,
        order=RecipeOrder(mixed, batch_size=training.batch_size, steps=training.steps, seed=seed),
    )
    return learner
