"""The size at which each image of a mixed set is written, and its pixels at that size."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genaug.chance import derive
from genaug.data.decode import decode_bytes
from genaug.data.folder import LabelledImages, LoadedFolder
from genaug.data.resize import resize
from genaug.executors import plugin_code
from genaug.fitting import image_noise
from genaug.generator import VariantGenerator
from genaug.mixing.candidate import Candidate
from genaug.spec import ImageSpec

Pixels = NDArray[np.uint8]
Size = tuple[int, int]
_ENOUGH = 10  # real images of a class whose sizes are worth drawing from
_MOST = 1000  # sizes to draw from, for each class


@dataclass(frozen=True)
class Resolution:
    """Turns images of the model size into images as they are written.

    Synthetic images of one size among real ones of many would give themselves away. So without `side`, each gets a size
    drawn from those of the real images of its class (of all classes, where it has fewer than ten). Enlarging cannot
    bring back detail: it stays blurred. side: the shorter side in pixels of all training images, real ones too.

    seed: of the run. variants: the generators whose images are made from originals, by name.
    """

    loaded: LoadedFolder
    side: int | None
    seed: int
    variants: Mapping[str, VariantGenerator[Any]]

    @property
    def common_size(self) -> Size | None:
        """Height and width of all training images; None where real images keep their own size."""
        return None if self.side is None else scaled(self.loaded.spec, self.side)

    def advice(self) -> str:
        """How to prepare images for a classifier that is trained on this set; empty where sizes differ."""
        if self.common_size is None:
            return ""
        height, width = self.common_size
        how = {"stretch": "stretch", "crop": "crop to their centre and shrink", "fit": "pad and shrink"}
        return (
            f"train at {height}x{width} pixels; {how[self.loaded.resize]} validation and test images to that size, as "
            "these images were"
        )

    def size(self, candidate: Candidate) -> Size:
        """Height and width at which a generated image is written, a function of (seed, generator, class, index)."""
        name = self.loaded.spec.classes[candidate.label]
        return drawn_size(self.sizes[name], self.seed, candidate.generator, name, candidate.index)

    def pixels(self, candidate: Candidate) -> Pixels:
        """The pixels of a candidate as they are written, uint8 [H, W, C]."""
        generator = self.variants.get(candidate.generator)
        if generator is None:
            return at_size(candidate.pixels, self.size(candidate))
        name = self.loaded.spec.classes[candidate.label]
        noise = image_noise(self.seed, candidate.generator, name, [candidate.index])
        original = self._original(candidate.parents[0])
        with plugin_code(type(generator).__name__):
            varied = generator.from_original(original, noise)
        return self._at_common_size(varied)

    def real_pixels(self, images: LabelledImages, place: int) -> Pixels:
        """The pixels of a real training image as they are written, uint8 [H, W, C]."""
        return self._at_common_size(decode_bytes(images.file_bytes(place)).pixels)

    def at_model_size(self, pixels: Pixels) -> Pixels:
        """Pixels of any size as models and judges see them."""
        spec = self.loaded.spec
        return resize(pixels, spec.height, spec.width, spec.channels, self.loaded.resize)

    def _original(self, row: int) -> Pixels:
        pixels = decode_bytes(self._train.file_bytes(self._rows[self.loaded.train.names[row]])).pixels
        height, width = pixels.shape[:2]
        return resize(pixels, height, width, self.loaded.spec.channels, "stretch")

    def _at_common_size(self, pixels: Pixels) -> Pixels:
        if self.common_size is None:
            return pixels
        return resize(pixels, *self.common_size, self.loaded.spec.channels, self.loaded.resize)

    @cached_property
    def _rows(self) -> dict[str, int]:
        """The row of each training file in `_train`, by its name."""
        return {name: row for row, name in enumerate(self._train.names)}

    @property
    def _train(self) -> LabelledImages:
        return self.loaded.splits["train"]

    @cached_property
    def sizes(self) -> dict[str, list[Size]]:
        """{class: the sizes that its generated images may have}, sorted; at most 1,000 of them."""
        spec = self.loaded.spec
        if self.common_size is not None:
            return {name: [self.common_size] for name in spec.classes}
        images, model = self.loaded.splits["train"], (spec.height, spec.width)
        every = [canvas((one.height, one.width), model, self.loaded.resize) for one in images.facts]
        found = {}
        for label, name in enumerate(spec.classes):
            own = [size for size, one in zip(every, images.labels, strict=True) if one == label]
            found[name] = _thinned(sorted(own if len(own) >= _ENOUGH else every))
        return found


def drawn_size(sizes: Sequence[Size], seed: int, generator: str, class_name: str, index: int) -> Size:
    """The size of one image among those that it may have."""
    height, width = sizes[derive(seed, "size", generator, class_name, index) % len(sizes)]
    return height, width


def scaled(spec: ImageSpec, side: int) -> Size:
    """Height and width with the aspect ratio of the model size and this shorter side, in pixels."""
    scale = side / min(spec.height, spec.width)
    return round(spec.height * scale), round(spec.width * scale)


def canvas(size: Size, model: Size, policy: str) -> Size:
    """The size of the part of an image (height, width) that becomes the model's image under a policy of resizing.

    stretch: the whole image. crop: the largest centre with the model's aspect ratio. fit: the image with its padding.
    """
    if policy == "stretch":
        return size
    scales = [side / wanted for side, wanted in zip(size, model, strict=True)]
    scale = min(scales) if policy == "crop" else max(scales)
    height, width = (max(1, round(side * scale)) for side in model)
    return height, width


def _thinned(sizes: Sequence[Size]) -> list[Size]:
    """At most 1,000 of them, evenly spread."""
    step = max(1, math.ceil(len(sizes) / _MOST))
    return list(sizes[::step])


def at_size(pixels: Pixels, size: Size) -> Pixels:
    """A generated image uint8 [H, W, C] at another size."""
    return pixels if pixels.shape[:2] == size else resize(pixels, *size, pixels.shape[2], "stretch")
