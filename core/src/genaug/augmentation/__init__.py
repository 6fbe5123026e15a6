"""What is done to training images: Albumentations variants before, differentiable changes inside the losses."""

from genaug.augmentation.differentiable import differentiable
from genaug.augmentation.pipelines import variants

__all__ = ["differentiable", "variants"]
