"""The sizes that a generator works at: which are refused, and images brought to its native size and back."""

from dataclasses import replace

import numpy as np
from torch import Tensor
from torch.nn import functional as F

from genaug.data.resize import resize
from genaug.data.split import TrainSplit
from genaug.errors import UsageError
from genaug.hookspecs import GeneratorDescription, Needs
from genaug.spec import ImageSpec


def generator_spec(description: GeneratorDescription, spec: ImageSpec) -> ImageSpec:
    """The spec that a generator is created with for images of this spec: at its native size if it has one.

    Raises UsageError for a size that it does not work at.
    """
    needs, size = description.needs, (spec.height, spec.width)
    if needs.native is not None:
        height, width = needs.native
        return replace(spec, height=height, width=width)
    allowed = all(needs.sizes[0] <= side <= needs.sizes[1] and side % needs.multiple == 0 for side in size)
    if not allowed or (needs.square and spec.height != spec.width):
        least, most = needs.sizes
        height, width = _nearest(needs, size)
        raise UsageError(
            f"{description.name} works with {'square images' if needs.square else 'images'} whose height and width are "
            f"multiples of {needs.multiple} in [{least}, {most}], got {spec.height}x{spec.width}; "
            f"give --size {height}x{width}"
        )
    return spec


def resized(split: TrainSplit, spec: ImageSpec) -> TrainSplit:
    """The same images at the size of a spec, stretched; the split itself if they have it."""
    height, width = spec.height, spec.width
    if (split.spec.height, split.spec.width) == (height, width):
        return split
    images = [resize(image, height, width, spec.channels, "stretch") for image in split.images]
    return replace(split, spec=replace(split.spec, height=height, width=width), images=np.stack(images))


def brought_to(images: Tensor, spec: ImageSpec) -> Tensor:
    """Images float [N, C, H, W] in [-1, 1] at the size of a spec, antialiased (bicubic)."""
    if images.shape[2:] == (spec.height, spec.width):
        return images
    return F.interpolate(images, (spec.height, spec.width), mode="bicubic", antialias=True).clamp(-1, 1)


def _nearest(needs: Needs, size: tuple[int, int]) -> tuple[int, int]:
    """The size that is allowed and nearest to height and width, or to the shorter of them where it must be square."""
    step = needs.multiple
    least, most = -(-needs.sizes[0] // step) * step, needs.sizes[1] // step * step
    height, width = (min(max(round(side / step) * step, least), most) for side in size)
    return (min(height, width),) * 2 if needs.square else (height, width)
