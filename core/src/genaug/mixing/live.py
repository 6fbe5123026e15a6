"""Real and synthetic images in memory for live training, each with its target and its weight."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from torch import Tensor
from torch.nn.functional import one_hot
from torch.utils.data import Dataset

from genaug.errors import UsageError
from genaug.images import to_float
from genaug.mixing.apply import apply_recipe
from genaug.mixing.recipe import RecipeConfig, parse_recipe

Labels = NDArray[np.int64]
Pixels = NDArray[np.uint8]
Recipe = RecipeConfig | Mapping[str, Any] | str


class Sample(NamedTuple):
    """One image.

    image: float32 [C, H, W] in [-1, 1], or what the data set's `transform` returns for the PIL image. target: int64 [],
    or float32 [K] for soft labels and blends. weight: float32 []. synthetic: bool []. row: its index in the data set.
    """

    image: Any
    target: Tensor
    weight: Tensor
    synthetic: Tensor
    row: int


@dataclass(eq=False)
class MixedDataset(Dataset[Sample]):
    """Real images, then the synthetic ones that the recipe uses, in the order of candidates.

    images: uint8 [N, H, W, C] with C 1 or 3. labels: int64 [N]. targets: the labels, or float32 [N, K] where the recipe
    has soft labels or blends. weights: float32 [N]. synthetic: bool [N]. classes: names in label order.
    """

    images: Pixels
    labels: Tensor
    targets: Tensor
    weights: Tensor
    synthetic: Tensor
    classes: list[str]
    recipe: RecipeConfig
    transform: Callable[[Image.Image], Any] | None = None

    @classmethod
    def of(
        cls,
        real_images: Pixels,
        real_labels: ArrayLike,
        synthetic_images: Pixels,
        synthetic_labels: ArrayLike,
        classes: Sequence[str],
        recipe: Recipe = "concatenate",
        *,
        scores: Sequence[float] | None = None,
        probabilities: ArrayLike | Tensor | None = None,
    ) -> Self:
        """From uint8 images [R, H, W, C] and [S, H, W, C] of one size with their labels [R] and [S].

        scores: in [0, 1], of the S synthetic images, for `weight_by_score` and for choosing the best under a cap.
        probabilities: [S, K], by a classifier that never saw their source images, for `soft_labels`. Raises UsageError.
        """
        chosen = parse_recipe(recipe)
        real, drawn = np.asarray(real_labels, dtype=np.int64), np.asarray(synthetic_labels, dtype=np.int64)
        _check(real_images, real, synthetic_images, drawn, classes)
        counts = np.bincount(real, minlength=len(classes)).tolist()
        applied = apply_recipe(chosen, counts, drawn.tolist(), scores)
        kept = np.flatnonzero(applied.keep)
        labels = torch.from_numpy(np.concatenate([real, drawn[kept]]))
        weights = torch.ones(len(labels))
        weights[len(real) :] = torch.tensor(applied.weights)[kept]
        return cls(
            images=np.concatenate([real_images, synthetic_images[kept]]),
            labels=labels,
            targets=_targets(chosen, labels, kept, (len(drawn), len(classes)), probabilities),
            weights=weights,
            synthetic=torch.arange(len(labels)) >= len(real),
            classes=list(classes),
            recipe=chosen,
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> Sample:
        image = self._image(self.images[index])
        return Sample(image, self.targets[index], self.weights[index], self.synthetic[index], index)

    def _image(self, pixels: Pixels) -> Any:
        if self.transform is None:
            return to_float(pixels[None])[0]
        return self.transform(Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels))


def _targets(
    recipe: RecipeConfig, labels: Tensor, kept: Labels, shape: tuple[int, int], probabilities: ArrayLike | Tensor | None
) -> Tensor:
    """The labels int64 [N], or class shares float32 [N, K]; shape: of the probabilities of the synthetic images."""
    soft = recipe.soft_labels
    if not soft and not recipe.blends:
        return labels
    targets = one_hot(labels, shape[1]).float()
    if soft and len(kept):
        targets[-len(kept) :] = targets[-len(kept) :].lerp(_checked_probabilities(probabilities, shape)[kept], soft)
    return targets


def _checked_probabilities(probabilities: ArrayLike | Tensor | None, shape: tuple[int, int]) -> Tensor:
    if probabilities is None:
        raise UsageError("soft_labels needs the cross-fitted classifier's probabilities of every synthetic image")
    checked = torch.as_tensor(probabilities, dtype=torch.float32)
    if checked.shape != shape:
        raise UsageError(f"expected probabilities {list(shape)}, got {list(checked.shape)}")
    return checked


def _check(real: Pixels, real_labels: Labels, synthetic: Pixels, labels: Labels, classes: Sequence[str]) -> None:
    if real.shape[1:] != synthetic.shape[1:]:
        raise UsageError(f"expected real and synthetic images of one size, got {real.shape[1:]}, {synthetic.shape[1:]}")
    for images, own in ((real, real_labels), (synthetic, labels)):
        if len(images) != len(own):
            raise UsageError(f"expected one label per image, got {len(own)} labels of {len(images)} images")
        if unknown := sorted({*own.tolist()} - {*range(len(classes))}):
            raise UsageError(f"labels must lie in [0, {len(classes)}), got {unknown}")
