"""Makes a batch of samples, with real and synthetic images blended where the recipe says so."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import default_collate

from genaug.chance import seeded
from genaug.mixing.live import Sample
from genaug.mixing.recipe import RecipeConfig


class MixedBatch(NamedTuple):
    """A batch of real and synthetic images.

    images: [B, C, H, W]. targets: int64 [B], or float32 [B, K] for soft labels and blends. weights: float32 [B].
    synthetic: float32 [B], the share of each image that is synthetic: 0 or 1, and between them for blends. rows: int64
    [B], the indices of the images in the data set.
    """

    images: Any
    targets: Tensor
    weights: Tensor
    synthetic: Tensor
    rows: Tensor


@dataclass(frozen=True)
class Collate:
    """The collate_fn of a DataLoader for a recipe; its blending depends on the seed and the rows of the batch alone."""

    recipe: RecipeConfig
    seed: int = 0

    def __call__(self, samples: Sequence[Sample]) -> MixedBatch:
        """The batch of these samples."""
        images, targets, weights, synthetic, rows = default_collate(list(samples))
        batch = MixedBatch(images, targets, weights, synthetic.float(), rows)
        return self.blended(batch) if self.recipe.blends else batch

    def blended(self, batch: MixedBatch) -> MixedBatch:
        """Blend each image of a batch with the one before it, by torchvision's MixUp or CutMix.

        Targets are weighted with their images, so that the loss of a blend is the blend of the weighted losses.
        """
        blend = _blend(self.recipe)
        shares = torch.cat([batch.weights[:, None] * batch.targets, batch.synthetic[:, None]], dim=1)
        with seeded(self.seed, "blend", *batch.rows.tolist()):
            images, mixed = blend(batch.images, shares)
        weighted, synthetic = mixed[:, :-1], mixed[:, -1]
        weights = weighted.sum(dim=1)
        targets = weighted / weights[:, None].clamp_min(torch.finfo(weights.dtype).tiny)
        return MixedBatch(images, targets, weights, synthetic, batch.rows)


def _blend(recipe: RecipeConfig) -> Any:
    from torchvision.transforms import v2  # type: ignore[import-untyped] # it has no types, and takes seconds to import

    kinds = {"mixup": v2.MixUp, "cutmix": v2.CutMix}
    return kinds[recipe.mode](alpha=recipe.alpha)
