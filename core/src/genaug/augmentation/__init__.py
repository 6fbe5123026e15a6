"""Augmentation of training images: Albumentations variants before training, differentiable changes in the losses."""

from genaug.augmentation.differentiable import differentiable
from genaug.augmentation.pipelines import variants

__all__ = ["differentiable", "variants"]
