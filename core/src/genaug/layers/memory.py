"""Training images in a generator's memory: how to store them, and how to choose some of a class at random."""

import torch
from torch import Tensor

from genaug.generator import Batch
from genaug.images import to_float, to_uint8

__all__ = ["choose", "choose_different", "keep_images", "kept_images"]


def keep_images(known: Batch) -> dict[str, Tensor]:
    """The training images as a memory, for `remember` to return.

    Tensors: "images" uint8 [N, H, W, C], "labels" and "rows" (row ids) int64 [N].
    """
    images = torch.from_numpy(to_uint8(known.images))
    return {"images": images.to(known.labels.device), "labels": known.labels, "rows": known.rows}


def kept_images(memory: dict[str, Tensor], places: Tensor) -> Tensor:
    """Images of a memory that `keep_images` returned, by their indices int64 [N]: float32 [N, C, H, W] in [-1, 1]."""
    return to_float(memory["images"][places].cpu().numpy()).to(places.device)


def choose(known: Tensor, labels: Tensor, chance: Tensor) -> Tensor:
    """For each label [N] the index of a random stored image of that class, int64 [N].

    known: labels of the stored images, int64 [M]; every label must be among them.
    chance: uniform random numbers in [0, 1), float [N].
    """
    return choose_different(known, labels, chance.unsqueeze(1))[:, 0]


def choose_different(known: Tensor, labels: Tensor, chance: Tensor) -> Tensor:
    """As `choose`, for one or two images per label: int64 [N, k], k being 1 or 2.

    The two are different images if the class has more than one.
    chance: uniform random numbers in [0, 1), float [N, k].
    """
    order = known.argsort(stable=True)
    counts = known.bincount(minlength=int(labels.max()) + 1)
    starts, count = (part[labels].unsqueeze(1) for part in (counts.cumsum(0) - counts, counts))
    first = (chance[:, :1] * count).long()
    beyond = 1 + (chance[:, 1:] * (count - 1)).long()
    return order[starts + torch.cat([first, (first + beyond) % count], dim=1)]
