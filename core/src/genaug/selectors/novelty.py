"""Rejects copies of training images and of images that were accepted before."""

import io
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from genaug.data.split import TrainSplit
from genaug.features import near_groups
from genaug.images import to_float
from genaug.selector import Candidates, Selector, Tools, Verdict
from genaug.selectors.likeness import REACH, distances, prepared
from genaug.selectors.plugin import NoveltySelectorConfig

_BRIGHTER = 1.25
_QUALITY = 60
_LEAST_QUANTILE = 0.01


class NoveltySelector(Selector[NoveltySelectorConfig]):
    """Rejects a candidate that is as near to a training image as copies are, in pixels or in classifier features.

    The threshold in pixels is learnt from copies: each training image is shifted, brightened and re-encoded, and its
    distance to the original is measured. The threshold is the `found` quantile of these distances, but at most the
    `lost` quantile of the leave-one-out distances of training images, and at least their 1st percentile. The threshold
    in features is the 1st percentile of the leave-one-out distances in features. Near-duplicates are left out of
    leave-one-out distances, because they are copies of each other.
    """

    def fit(self, train: TrainSplit, tools: Tools) -> None:
        """Set the thresholds from planted copies and from the distances between training images."""
        self._tools, self._names = tools, train.names
        images = to_float(train.images)
        planted = to_float(np.stack([disturbed(image) for image in train.images]))
        self._maps = prepared(images)
        groups = torch.from_numpy(near_groups(train))
        alone = _leave_one_out(distances(self._maps, self._maps), groups)
        self._alone = alone[alone.isfinite()]
        self._pixels = self._threshold(self._alone, distances(prepared(planted), self._maps).diagonal())
        self._views = [_FoldView(images, rows, groups[rows], tools) for rows in _folds(tools.folds)]
        in_features = torch.cat([view.alone for view in self._views])
        self._features = _quantile(in_features, _LEAST_QUANTILE) if len(in_features) else 0.0

    def judge(self, candidates: Candidates, accepted: Tensor, wanted: int) -> Sequence[Verdict]:
        """Compare with training images in pixels and features, then with accepted and earlier candidates in pixels."""
        maps = prepared(candidates.images)
        near = distances(maps, self._maps)
        nearest, rows = near.min(dim=1)
        in_features, feature_rows = self._in_features(candidates.images)
        others = torch.cat([prepared(accepted), maps]) if len(accepted) else maps
        among = distances(maps, others)
        verdicts: list[Verdict] = []
        kept = list(range(len(accepted)))
        for place in range(len(maps)):
            score = self._score(float(nearest[place]))
            copied = int(rows[place])
            reason = self._copy(float(nearest[place]), copied, "pixels", self._pixels)
            if not reason:
                copied = int(feature_rows[place])
                reason = self._copy(float(in_features[place]), copied, "classifier features", self._features)
            if reason:
                verdicts.append(Verdict(False, score, reason, copied))
            elif kept and float(among[place, kept].min()) < self._pixels:
                verdicts.append(Verdict(False, score, "a copy of an image that was accepted before"))
            else:
                verdicts.append(Verdict(True, score, ""))
                kept.append(len(accepted) + place)
        return verdicts

    def _threshold(self, alone: Tensor, planted: Tensor) -> float:
        """The distance in pixels below which an image is a copy; 0 if there is only one training image."""
        if not len(alone):
            return 0.0
        least, most = _quantile(alone, _LEAST_QUANTILE), _quantile(alone, max(_LEAST_QUANTILE, self.config.lost))
        return min(max(least, _quantile(planted, self.config.found)), most)

    def _in_features(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Distance and row of each candidate's nearest training image, by classifiers that never saw that image."""
        found = [view.nearest(images) for view in self._views]
        near = torch.stack([distance for distance, _ in found])
        best, fold = near.min(dim=0)
        return best, torch.stack([rows for _, rows in found]).gather(0, fold[None])[0]

    def _copy(self, distance: float, row: int, space: str, threshold: float) -> str:
        if distance >= threshold:
            return ""
        return f"a copy of {self._names[row]}: its distance in {space}, {distance:.3g}, is below {threshold:.3g}"

    def _score(self, distance: float) -> float:
        """The share of training images whose nearest neighbour is nearer than this; 1 with one training image."""
        return float((self._alone < distance).double().mean()) if len(self._alone) else 1.0


class _FoldView:
    """The training images of one fold in the features of its classifier, which has seen none of them.

    Distances are divided by the median leave-one-out distance, so that they can be compared between folds.
    """

    def __init__(self, images: Tensor, rows: Tensor, groups: Tensor, tools: Tools) -> None:
        self._rows, self._tools = rows, tools
        self._features = tools.features(images[rows], rows)
        alone = _leave_one_out(torch.cdist(self._features, self._features), groups)
        finite = alone[alone.isfinite()]
        self._unit = float(finite.median().clamp_min(1e-12)) if len(finite) else 1.0
        self.alone = finite / self._unit

    def nearest(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Distance and row of the nearest training image of the fold, for each image."""
        views = self._tools.features(images, self._rows[:1].expand(len(images)))
        near, places = torch.cdist(views, self._features).min(dim=1)
        return near / self._unit, self._rows[places]


def disturbed(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A copy of an image uint8 [H, W, C]: shifted by 2 pixels, a quarter brighter, saved as JPEG of quality 60."""
    height, width = image.shape[:2]
    padded = np.pad(image, ((REACH, REACH), (REACH, REACH), (0, 0)), mode="edge")
    moved = padded[2 * REACH :, :width][:height]
    bright = np.clip(moved * _BRIGHTER, 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(bright[:, :, 0] if bright.shape[2] == 1 else bright).save(buffer, "JPEG", quality=_QUALITY)
    with Image.open(buffer) as read:
        return np.asarray(read).reshape(image.shape)


def _leave_one_out(found: Tensor, groups: Tensor) -> Tensor:
    """The distance [N] of each row to the nearest row of another group, from distances [N, N] and groups [N].

    If all rows are in one group, to the nearest other row; infinite if there is none.
    """
    same_group = groups[:, None] == groups
    left_out = torch.eye(len(groups), dtype=torch.bool) if same_group.all() else same_group
    return found.masked_fill(left_out, torch.inf).min(dim=1).values


def _folds(folds: Tensor) -> list[Tensor]:
    return [(folds == fold).nonzero().flatten() for fold in folds.unique().tolist()]


def _quantile(values: Tensor, share: float) -> float:
    return float(torch.quantile(values.double(), share))
