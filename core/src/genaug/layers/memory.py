"""Training images that samples lean on: kept small, and found again by class."""

import torch
from torch import Tensor

from genaug.generator import Batch
from genaug.images import to_float, to_uint8


def keep_images(known: Batch) -> dict[str, Tensor]:
    """The training images uint8 [N, H, W, C] with labels and row ids int64 [N], for a generator's memory."""
    images = torch.from_numpy(to_uint8(known.images))
    return {"images": images.to(known.labels.device), "labels": known.labels, "rows": known.rows}


def kept_images(memory: dict[str, Tensor], places: Tensor) -> Tensor:
    """Images of the memory, float32 [N, C, H, W] in [-1, 1]."""
    return to_float(memory["images"][places].cpu().numpy()).to(places.device)


def choose(known: Tensor, labels: Tensor, chance: Tensor) -> Tensor:
    """For each wanted label [N] one of the places where `known` [M] has it, by chance [N] in [0, 1): int64 [N].

    Every label must be among the known ones.
    """
    return choose_different(known, labels, chance.unsqueeze(1))[:, 0]


def choose_different(known: Tensor, labels: Tensor, chance: Tensor) -> Tensor:
    """The same for one or two places, by chance [N, k]: int64 [N, k]; two differ wherever a label has two."""
    order = known.argsort(stable=True)
    counts = known.bincount(minlength=int(labels.max()) + 1)
    starts, count = (part[labels].unsqueeze(1) for part in (counts.cumsum(0) - counts, counts))
    first = (chance[:, :1] * count).long()
    beyond = 1 + (chance[:, 1:] * (count - 1)).long()
    return order[starts + torch.cat([first, (first + beyond) % count], dim=1)]
