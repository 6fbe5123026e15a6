"""The batches of an epoch as a recipe prescribes them; they depend on (seed, epoch) alone."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Sampler

from genaug.chance import derive, stream
from genaug.errors import UsageError
from genaug.mixing.collate import Collate
from genaug.mixing.live import MixedDataset
from genaug.mixing.recipe import RecipeConfig
from genaug.training.order import Order

Rows = NDArray[np.int64]


class EpochBatches(Sampler[list[int]]):
    """The batch_sampler of a DataLoader; its `collate` is the collate_fn. Call `set_epoch` before every epoch.

    An epoch of `concatenate` shows every image once; one of `replace`, `anneal` and `pretrain` as many images as there
    are real ones; one of `mixup` and `cutmix` every real image once, each followed by a synthetic one.
    """

    def __init__(self, dataset: MixedDataset, *, batch_size: int, epochs: int, seed: int = 0) -> None:
        self.recipe, self.batch_size, self.epochs = dataset.recipe, batch_size, epochs
        self._labels, flags = dataset.labels.numpy(), dataset.synthetic.numpy()
        self._real, self._synthetic = np.flatnonzero(~flags), np.flatnonzero(flags)
        self._check()
        self.collate = Collate(self.recipe, seed)
        self._seed = seed
        self._epoch: int | None = None
        self._streams = {
            name: _Stream(rows, self._labels[rows], derive(seed, "recipe", name), balanced=self.recipe.balanced)
            for name, rows in (("all", np.arange(len(dataset))), ("real", self._real), ("synthetic", self._synthetic))
        }

    @property
    def images(self) -> int:
        """Images in an epoch."""
        if self.recipe.mode == "concatenate":
            return len(self._labels)
        return len(self._real) * (2 if self.recipe.blends else 1)

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch to draw next, in [0, epochs); raises UsageError for another number."""
        if not 0 <= epoch < self.epochs:
            raise UsageError(f"epoch must lie in [0, {self.epochs}), got {epoch}")
        self._epoch = epoch

    def __len__(self) -> int:
        return math.ceil(self.images / self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        if self._epoch is None:
            raise UsageError("call set_epoch(epoch) before every epoch; a recipe changes from one to the next")
        rows = self.rows(self._epoch).tolist()
        self._epoch = None
        for first in range(0, len(rows), self.batch_size):
            yield rows[first : first + self.batch_size]

    def rows(self, epoch: int) -> Rows:
        """All rows of an epoch in order, int64 [images]."""
        if self.recipe.mode == "concatenate":
            return self._streams["all"].take(epoch * self.images, self.images)
        if self.recipe.mode == "replace":
            return self._replaced(self._streams["real"].take(epoch * self.images, self.images), epoch)
        return self._dosed(np.arange(epoch * self.images, (epoch + 1) * self.images + 1))

    def _replaced(self, rows: Rows, epoch: int) -> Rows:
        """Replace some rows by random synthetic rows of their class; rows of a class without synthetic images stay."""
        chances, picks = torch.rand((2, len(rows)), generator=stream(self._seed, "replace", epoch)).double().numpy()
        by_class = self._synthetic[np.argsort(self._labels[self._synthetic], kind="stable")]
        counts = np.bincount(self._labels[self._synthetic], minlength=int(self._labels.max()) + 1)
        choices = counts[self._labels[rows]]
        places = (np.cumsum(counts) - counts)[self._labels[rows]] + (picks * choices).astype(np.int64)
        replaced = (chances < self.recipe.probability) & (choices > 0)
        return np.where(replaced, by_class[places.clip(max=len(by_class) - 1)], rows)

    def _dosed(self, places: Rows) -> Rows:
        """Real and synthetic rows, each continuing where it stopped, in the shares that the recipe prescribes."""
        before = synthetic_before(self.recipe, places, self.epochs * self.images)
        turn = np.diff(before) > 0
        rows = np.empty(len(turn), dtype=np.int64)
        rows[turn] = self._streams["synthetic"].take(int(before[0]), int(turn.sum()))
        rows[~turn] = self._streams["real"].take(int(places[0] - before[0]), int((~turn).sum()))
        return rows

    def _check(self) -> None:
        mode, real, synthetic = self.recipe.mode, len(self._real), len(self._synthetic)
        if self.batch_size < 1 or self.epochs < 1:
            raise UsageError(
                f"expected at least one image per batch and one epoch, got {self.batch_size}, {self.epochs}"
            )
        if mode != "concatenate" and not (real and synthetic):
            raise UsageError(f"{mode} needs real and synthetic images, got {real} and {synthetic}")
        if self.recipe.blends and self.batch_size % 2:
            raise UsageError(
                f"{mode} pairs real and synthetic images; expected an even batch size, got {self.batch_size}"
            )


def synthetic_before(recipe: RecipeConfig, places: Rows, total: int) -> Rows:
    """How many of the images shown before each place of a training of `total` images are synthetic, int64 [N].

    The integral of the share: of a straight line for `anneal`, of a step for `pretrain`, of one half for blends.
    """
    if recipe.mode == "anneal":
        dose = recipe.start * places - (recipe.start - recipe.end) * places.astype(float) ** 2 / (2 * total)
    elif recipe.mode == "pretrain":
        dose = np.minimum(places, round(recipe.share * total))
    else:
        dose = places / 2
    return np.floor(dose).astype(np.int64)


class _Stream:
    """An endless sequence of rows: pass after pass, or every class equally often."""

    def __init__(self, rows: Rows, labels: Rows, seed: int, *, balanced: bool) -> None:
        self._rows = rows
        self._order = Order(labels, seed=seed, balanced=balanced)

    def take(self, first: int, count: int) -> Rows:
        """The rows at the positions [first, first + count), int64 [count]."""
        return self._rows[[int(self._order.rows(place, 1)[0]) for place in range(first, first + count)]]
