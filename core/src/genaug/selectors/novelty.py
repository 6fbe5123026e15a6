"""Rejects copies: of training images, and of images that were accepted before."""

import io
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from genaug.builtin import NoveltySelectorConfig
from genaug.data.split import TrainSplit
from genaug.features import near_groups
from genaug.images import to_float
from genaug.selector import Candidates, Selector, Tools, Verdict
from genaug.selectors.likeness import REACH, distances, prepared

_BRIGHTER = 1.25
_QUALITY = 60
_LEAST_QUANTILE = 0.01


class Novelty(Selector[NoveltySelectorConfig]):
    """A candidate is a copy when it is as near to a training image as copies are, in pixels or in classifier features.

    In pixels, how near copies are is learnt from the training images: each is shifted, brightened and re-encoded, and
    its distance to itself is measured. The threshold is the distance below which `found` of these copies lie, but never
    so large that more than `lost` of the training images would be copies of each other, and never below the 1st
    percentile of their leave-one-out distances. In features it is that percentile. Near-duplicates among the training
    images are left out of these distances: they are copies of each other.
    """

    def fit(self, train: TrainSplit, tools: Tools) -> None:
        """Measure planted copies, and training images against each other."""
        self._tools, self._names = tools, train.names
        images = to_float(train.images)
        planted = to_float(np.stack([disturbed(image) for image in train.images]))
        self._maps = prepared(images)
        groups = torch.from_numpy(near_groups(train))
        alone = _leave_one_out(distances(self._maps, self._maps), groups)
        self._alone = alone[alone.isfinite()]
        self._pixels = self._threshold(self._alone, distances(prepared(planted), self._maps).diagonal())
        self._views = [_FoldView(images, rows, groups[rows], tools) for rows in _folds(tools.folds)]
        felt = torch.cat([view.alone for view in self._views])
        self._features = _quantile(felt, _LEAST_QUANTILE) if len(felt) else 0.0

    def judge(self, candidates: Candidates, accepted: Tensor, wanted: int) -> Sequence[Verdict]:
        """Against training images in both spaces, then against accepted ones and each other, in order, in pixels."""
        maps = prepared(candidates.images)
        near = distances(maps, self._maps)
        nearest, rows = near.min(dim=1)
        felt, felt_rows = self._in_features(candidates.images)
        others = torch.cat([prepared(accepted), maps]) if len(accepted) else maps
        among = distances(maps, others)
        verdicts: list[Verdict] = []
        kept = list(range(len(accepted)))
        for place in range(len(maps)):
            score = self._score(float(nearest[place]))
            reason = self._copy(float(nearest[place]), int(rows[place]), "pixels", self._pixels)
            reason = reason or self._copy(
                float(felt[place]), int(felt_rows[place]), "classifier features", self._features
            )
            if not reason and kept and float(among[place, kept].min()) < self._pixels:
                reason = "repeats an image that was accepted before"
            verdicts.append(Verdict(not reason, score, reason))
            if not reason:
                kept.append(len(accepted) + place)
        return verdicts

    def _threshold(self, alone: Tensor, planted: Tensor) -> float:
        """The distance below which an image is a copy; 0 where one training image is all there is."""
        if not len(alone):
            return 0.0
        least, most = _quantile(alone, _LEAST_QUANTILE), _quantile(alone, max(_LEAST_QUANTILE, self.config.lost))
        return min(max(least, _quantile(planted, self.config.found)), most)

    def _in_features(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The nearest training image of each candidate, each seen by the classifier that never saw it."""
        found = [view.nearest(images) for view in self._views]
        near = torch.stack([distance for distance, _ in found])
        best, fold = near.min(dim=0)
        return best, torch.stack([rows for _, rows in found]).gather(0, fold[None])[0]

    def _copy(self, distance: float, row: int, space: str, threshold: float) -> str:
        if distance >= threshold:
            return ""
        return f"a copy of {self._names[row]}: {distance:.3g} away in {space}, where copies lie below {threshold:.3g}"

    def _score(self, distance: float) -> float:
        """The share of training images that have a nearer neighbour; 1 without any to compare with."""
        return float((self._alone < distance).double().mean()) if len(self._alone) else 1.0


class _FoldView:
    """The training images of one fold in the features of its classifier, which saw none of them.

    Distances are over the median leave-one-out distance, so that those of different folds can be compared.
    """

    def __init__(self, images: Tensor, rows: Tensor, groups: Tensor, tools: Tools) -> None:
        self._rows, self._tools = rows, tools
        self._features = tools.features(images[rows], rows)
        alone = _leave_one_out(torch.cdist(self._features, self._features), groups)
        finite = alone[alone.isfinite()]
        self._unit = float(finite.median().clamp_min(1e-12)) if len(finite) else 1.0
        self.alone = finite / self._unit

    def nearest(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """For each image the distance to, and the row of, its nearest training image of the fold."""
        views = self._tools.features(images, self._rows[:1].expand(len(images)))
        near, places = torch.cdist(views, self._features).min(dim=1)
        return near / self._unit, self._rows[places]


def disturbed(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A copy uint8 [H, W, C] as people make them: shifted by 2 px, brighter by a quarter, JPEG of quality 60."""
    height, width = image.shape[:2]
    padded = np.pad(image, ((REACH, REACH), (REACH, REACH), (0, 0)), mode="edge")
    moved = padded[2 * REACH :, :width][:height]
    bright = np.clip(moved * _BRIGHTER, 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(bright[:, :, 0] if bright.shape[2] == 1 else bright).save(buffer, "JPEG", quality=_QUALITY)
    with Image.open(buffer) as read:
        return np.asarray(read).reshape(image.shape)


def _leave_one_out(found: Tensor, groups: Tensor) -> Tensor:
    """Each row's distance [N] to the nearest one of another group, or to any other in a single group; else infinite."""
    kin = groups[:, None] == groups
    alike = torch.eye(len(groups), dtype=torch.bool) if kin.all() else kin
    return found.masked_fill(alike, torch.inf).min(dim=1).values


def _folds(folds: Tensor) -> list[Tensor]:
    return [(folds == fold).nonzero().flatten() for fold in folds.unique().tolist()]


def _quantile(values: Tensor, share: float) -> float:
    return float(torch.quantile(values.double(), share))
