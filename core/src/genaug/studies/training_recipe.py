"""The recommended training of a study as plain torch parts, for a training script of one's own."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import Sampler

from genaug.chance import derive, global_noise
from genaug.classifier import Standardise
from genaug.data.decode import UnreadableError, upright
from genaug.data.resize import resize
from genaug.errors import DataError, UsageError
from genaug.images import to_float
from genaug.mixing.collate import Collate, MixedBatch
from genaug.mixing.live import MixedDataset
from genaug.spec import ImageSpec
from genaug.studies.frozen import FrozenNetwork, make_classifier
from genaug.studies.learner import RecipeOrder
from genaug.studies.recommended import classifier_of
from genaug.studies.training_file import TrainingFile, read_training_file
from genaug.studies.training_parts import SmoothedCrossEntropy, changed_images, make_optimizer, rate_factor


def training_recipe(path: str | Path) -> "TrainingRecipe":
    """The recommended training of a study. path: the folder of the study, or its training.yaml.

    Raises DataError where there is none, UsageError for a file that holds something else.
    """
    return TrainingRecipe(*read_training_file(Path(path)))


class TrainingRecipe:
    """The recommended training of a study as plain torch parts.

    Images are float [N, C, H, W] in [-1, 1], as `prepare` returns them. `augment` and `blend` follow torch's global
    random generator (`torch.manual_seed`).

    arm: the name of the recommended arm. classes: class names in label order. size: height and width. channels: 1 or 3.
    steps, batch_size: the length of the training, and the images of a step. loss: a module that takes logits, targets
    (labels, or class shares) and, where images have weights, those.
    """

    def __init__(self, file: TrainingFile, home: Path) -> None:
        self._file, self._home = file, home
        self.arm, self.classes, self.seed = file.arm, list(file.data.classes), file.seed
        self.size, self.channels = file.data.size, file.data.channels
        self.steps, self.batch_size = file.training.steps, file.training.batch_size
        self.loss = SmoothedCrossEntropy(file.training.label_smoothing)

    def prepare(self, image: Image.Image) -> Tensor:
        """A PIL image as the study reads it: resized, float32 [C, H, W] in [-1, 1]. Raises DataError."""
        try:
            pixels = upright(image)
        except UnreadableError as error:
            raise DataError(f"the image cannot be used: {error}") from error
        height, width = self.size
        resized = resize(pixels, height, width, self.channels, self._file.data.resize)
        return to_float(np.stack([resized]))[0]

    def augment(self, images: Tensor) -> Tensor:
        """Images [N, C, H, W], each changed in its own way; unchanged where the recommended arm changes none."""
        noise = global_noise(len(images), images.device)
        return changed_images(images, noise, self._file.training.augmentation)

    def transform(self, image: Image.Image) -> Tensor:
        """`prepare` and `augment` of one PIL image, for data sets that take a transform."""
        return self.augment(self.prepare(image)[None])[0]

    def sampler(self, labels: Any, synthetic: Any = None) -> Sampler[int]:
        """The images of all steps in order, for a DataLoader with `batch_size`: one pass is the whole training.

        labels: int [N]. synthetic: bool [N], which images are synthetic; recipes other than concatenate need it. Raises
        UsageError.
        """
        labels = torch.as_tensor(labels, dtype=torch.int64)
        recipe = self._file.recipe
        if synthetic is None and recipe.mode != "concatenate":
            raise UsageError(
                f"the recipe {recipe.mode} needs to know which images are synthetic: give sampler(labels, synthetic), "
                "a list of true and false"
            )
        flags = torch.zeros(len(labels), dtype=torch.bool) if synthetic is None else torch.as_tensor(synthetic)
        images = np.empty((len(labels), 0, 0, self.channels), dtype=np.uint8)  # their order needs no pixels
        mixed = MixedDataset(images, labels, labels, torch.ones(len(labels)), flags.bool(), self.classes, recipe)
        order = RecipeOrder(mixed, batch_size=self.batch_size, steps=self.steps, seed=self.seed)
        return StepSampler(order, self.steps, self.batch_size)

    def blend(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Images [N, C, H, W] and labels int64 [N], blended where the recipe is mixup or cutmix: then shares [N, K]."""
        if not self._file.recipe.blends:
            return images, labels
        shares = F.one_hot(labels, len(self.classes)).float()
        ones, rows = torch.ones(len(labels), device=images.device), torch.arange(len(labels))
        batch = MixedBatch(images, shares, ones, torch.zeros_like(ones), rows)
        seed = int(global_noise(1).integers(2**62))
        blended = Collate(self._file.recipe, derive(seed, "blend")).blended(batch)
        return blended.images, blended.targets

    def network(self, images: Tensor | None = None) -> nn.Module:
        """A new network: images [N, C, H, W] to logits [N, K].

        images: the training images, whose mean and spread scale the inputs of the small network, or the features of a
        frozen one.
        """
        classifier = classifier_of(self._file, self._home)
        network = make_classifier(classifier.network, self._spec, classifier.weights, frozen=classifier.frozen)
        if isinstance(network, FrozenNetwork) and images is not None:
            network.head.fit(network.features(images))
        for layer in network.modules():
            if isinstance(layer, Standardise) and images is not None:
                layer.fit(images)
        return network

    def optimizer(self, network: nn.Module) -> torch.optim.Optimizer:
        """The optimiser of a network's parameters."""
        return make_optimizer(self._file.training.optimizer, network)

    def schedule(self, optimizer: torch.optim.Optimizer) -> torch.optim.lr_scheduler.LRScheduler:
        """The learning rates of all steps: call its `step` after each step of the optimiser."""
        training = self._file.training
        return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate_factor(training, step))

    @cached_property
    def _spec(self) -> ImageSpec:
        known = self._file.data
        return ImageSpec(known.channels, *known.size, known.classes, known.counts)


class StepSampler(Sampler[int]):
    """The rows of all steps of a training, one after another."""

    def __init__(self, order: RecipeOrder, steps: int, batch_size: int) -> None:
        self._order, self._steps, self._batch_size = order, steps, batch_size

    def __len__(self) -> int:
        return self._steps * self._batch_size

    def __iter__(self) -> Iterator[int]:
        for step in range(self._steps):
            yield from self._order.rows(step, self._batch_size).tolist()
