"""The torch parts of a classifier's training: changes of images, loss, optimiser, learning rate."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genaug.augmentation import varied
from genaug.chance import Noise
from genaug.studies.classifier_training import ClassifierTraining, ImageChanges, OptimizerSettings
from genaug.training import Muon


def changed_images(images: Tensor, noise: Noise, changes: ImageChanges | None) -> Tensor:
    """Images [N, C, H, W] in [-1, 1], each changed in its own way; the images themselves for None."""
    return images if changes is None else varied(images, noise, **changes.model_dump())


class SmoothedCrossEntropy(nn.Module):
    """The mean cross-entropy with smoothed targets, each image with its weight.

    `loss(logits, targets, weights)`: logits float [N, K]; targets int64 [N], or class shares float [N, K]; weights
    float [N], all 1 if left out. Returns a scalar.
    """

    def __init__(self, label_smoothing: float) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing

    def forward(self, logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """The loss of a batch."""
        losses = F.cross_entropy(logits.float(), targets, reduction="none", label_smoothing=self.label_smoothing)
        return losses.mean() if weights is None else (losses * weights).sum() / weights.sum()


def make_optimizer(settings: OptimizerSettings, network: nn.Module) -> torch.optim.Optimizer:
    """The optimiser of a network's parameters."""
    if settings.name == "adamw":
        moved = [parameter for parameter in network.parameters() if parameter.requires_grad]
        return torch.optim.AdamW(moved, lr=settings.rate, weight_decay=settings.weight_decay)
    return Muon.for_network(
        network, rate=settings.rate, adamw_rate=settings.adamw_rate, weight_decay=settings.weight_decay
    )


def rate_factor(training: ClassifierTraining, step: int) -> float:
    """The factor on the learning rates in a step, as the training loop computes it; steps count from 0."""
    if step < training.warmup_steps:
        return (step + 1) / training.warmup_steps
    share = (step - training.warmup_steps) / max(1, training.steps - training.warmup_steps)
    return training.final_rate + (1.0 - training.final_rate) * 0.5 * (1.0 + math.cos(math.pi * min(share, 1.0)))
