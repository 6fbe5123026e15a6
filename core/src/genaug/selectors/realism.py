"""Rejects outliers: images in regions of feature space where there are no real ones."""

from collections.abc import Sequence

import torch
from torch import Tensor

from genaug.builtin import RealismSelectorConfig
from genaug.data.split import TrainSplit
from genaug.images import to_float
from genaug.selector import Candidates, Selector, Tools, Verdict


class Realism(Selector[RealismSelectorConfig]):
    """A candidate stays when its k-th nearest real image is no further than that of nearly all real images.

    Distances in the features of the classifier of its fold, which saw none of the images compared; the distance to the
    k-th neighbour is the classical estimate of density (Loftsgaarden and Quesenberry 1965).
    """

    def fit(self, train: TrainSplit, tools: Tools) -> None:
        """The k-th distances of training images to others of their fold."""
        self._tools, self._folds = tools, tools.folds
        rows = torch.arange(len(train))
        features = tools.features(to_float(train.images), rows)
        self._known = {fold: features[tools.folds == fold] for fold in tools.folds.unique().tolist()}
        self._real = {fold: self._kth(known, known, itself=1) for fold, known in self._known.items()}

    def judge(self, candidates: Candidates, accepted: Tensor, wanted: int) -> Sequence[Verdict]:
        """The score is the share of real images that lie further out."""
        features = self._tools.features(candidates.images, candidates.stems)
        folds = self._folds[candidates.stems].tolist()
        return [self._verdict(fold, view[None]) for fold, view in zip(folds, features, strict=True)]

    def _verdict(self, fold: int, view: Tensor) -> Verdict:
        real = self._real[fold]
        distance = self._kth(view, self._known[fold], itself=0)
        score = float((real >= distance).double().mean())
        keep = bool(distance <= torch.quantile(real, 1 - self.config.lost))
        reason = (
            "" if keep else f"an outlier: further from real images than {1 - score:.0%} of those are from each other"
        )
        return Verdict(keep, score, reason)

    def _kth(self, views: Tensor, known: Tensor, *, itself: int) -> Tensor:
        """Distance [N] to the k-th nearest known row, or to the furthest where there are fewer."""
        found = torch.cdist(views, known)
        return found.kthvalue(min(self.config.neighbours + itself, found.shape[1]), dim=1).values
