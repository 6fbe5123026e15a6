"""Augmentation of training images: Albumentations variants before training, changes of tensors in the losses."""

from genaug.augmentation.differentiable import differentiable
from genaug.augmentation.pipelines import variants
from genaug.augmentation.tensors import varied

__all__ = ["differentiable", "variants", "varied"]
