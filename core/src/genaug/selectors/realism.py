"""Rejects outliers: images in regions of feature space without real images."""

from collections.abc import Sequence

import torch
from torch import Tensor

from genaug.data.split import TrainSplit
from genaug.images import to_float
from genaug.selector import Candidates, Selector, Tools, Verdict
from genaug.selectors.plugin import RealismSelectorConfig


class RealismSelector(Selector[RealismSelectorConfig]):
    """Keeps a candidate if the distance to its k-th nearest real image is not larger than for nearly all real images.

    k is `neighbours`; the limit is the 1 - `lost` quantile of the same distances between real images. Distances are
    taken in the features of the source's fold, whose classifier has seen none of the images that are compared. The
    distance to the k-th neighbour is the classical estimate of density (Loftsgaarden and Quesenberry 1965).
    """

    def fit(self, train: TrainSplit, tools: Tools) -> None:
        """Measure the distance of each training image to its k-th nearest other one of the same fold."""
        self._tools, self._folds = tools, tools.folds
        rows = torch.arange(len(train))
        features = tools.features(to_float(train.images), rows)
        self._known = {fold: features[tools.folds == fold] for fold in tools.folds.unique().tolist()}
        self._real = {fold: self._kth(known, known, itself=1) for fold, known in self._known.items()}

    def judge(self, candidates: Candidates, accepted: Tensor, wanted: int) -> Sequence[Verdict]:
        """One verdict per candidate; the score is the share of real images with a larger distance."""
        features = self._tools.features(candidates.images, candidates.sources)
        folds = self._folds[candidates.sources].tolist()
        return [self._verdict(fold, view[None]) for fold, view in zip(folds, features, strict=True)]

    def _verdict(self, fold: int, view: Tensor) -> Verdict:
        real = self._real[fold]
        distance = self._kth(view, self._known[fold], itself=0)
        score = float((real >= distance).double().mean())
        keep = bool(distance <= torch.quantile(real, 1 - self.config.lost))
        reason = (
            "" if keep else f"an outlier: further from real images than {1 - score:.0%} of them are from each other"
        )
        return Verdict(keep, score, reason)

    def _kth(self, views: Tensor, known: Tensor, *, itself: int) -> Tensor:
        """Distance [N] to the k-th nearest known row, or to the furthest. itself: 1 if views are known rows, else 0."""
        found = torch.cdist(views, known)
        return found.kthvalue(min(self.config.neighbours + itself, found.shape[1]), dim=1).values
