"""Chooses the most different ones out of more candidates than are wanted."""

from collections.abc import Sequence

import torch
from torch import Tensor

from genaug.builtin import DiversitySelectorConfig
from genaug.data.split import TrainSplit
from genaug.selector import Candidates, Selector, Tools, Verdict


class Diversity(Selector[DiversitySelectorConfig]):
    """Greedy k-centre (Gonzalez 1985): begin in the middle, then take the candidate furthest from all taken so far.

    In the features of one classifier, so that all candidates can be compared. It likes outliers: ask `realism` first
    where candidates are doubtful.
    """

    chooses = True

    @property
    def spare(self) -> float:
        """Candidates for each wanted image."""
        return self.config.spare

    def fit(self, train: TrainSplit, tools: Tools) -> None:
        """Nothing but the features is needed."""
        self._tools = tools

    def judge(self, candidates: Candidates, accepted: Tensor, wanted: int) -> Sequence[Verdict]:
        """Keeps at most `wanted`; the score of a kept one is its distance when it was taken, over the largest."""
        count = len(candidates.images)
        one_view = torch.zeros(count, dtype=torch.int64)
        features = self._tools.features(candidates.images, one_view)
        order, gaps = k_centres(features, min(wanted, count))
        largest = max(gaps, default=0.0) or 1.0
        scores = dict(zip(order, (min(1.0, gap / largest) for gap in gaps), strict=True))
        left_out = Verdict(False, 0.0, "others of its class differ more from each other")
        return [Verdict(True, scores[place], "") if place in scores else left_out for place in range(count)]


def k_centres(features: Tensor, count: int) -> tuple[list[int], list[float]]:
    """Rows of features [N, D] in the order in which they are taken, and the distance of each to those before it.

    The first is the one nearest to the mean; its distance counts as the largest.
    """
    if not count:
        return [], []
    found = torch.cdist(features.double(), features.double())
    first = int((features - features.mean(dim=0)).norm(dim=1).argmin())
    order, gaps = [first], [float(found.max())]
    nearest = found[first].clone()
    while len(order) < count:
        nearest[order] = -1.0
        place = int(nearest.argmax())
        gaps.append(float(nearest[place]))
        order.append(place)
        nearest = torch.minimum(nearest, found[place])
    return order, gaps
