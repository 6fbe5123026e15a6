"""Chooses the candidates that differ most from each other, from more candidates than are wanted."""

from collections.abc import Sequence

import torch
from torch import Tensor

from genaug.data.split import TrainSplit
from genaug.selector import Candidates, Selector, Tools, Verdict
from genaug.selectors.plugin import DiversitySelectorConfig


class DiversitySelector(Selector[DiversitySelectorConfig]):
    """Greedy k-centre (Gonzalez 1985): start in the middle, then take the candidate furthest from all taken so far.

    All candidates are compared in the features of the same classifier. The method prefers outliers, so use `realism`
    before it if candidates may be unrealistic.
    """

    chooses = True

    @property
    def spare(self) -> float:
        """The number of candidates to choose from per wanted image."""
        return self.config.spare

    def fit(self, train: TrainSplit, tools: Tools) -> None:
        """Keep the tools; nothing is learnt from the training images."""
        self._tools = tools

    def judge(self, candidates: Candidates, accepted: Tensor, wanted: int) -> Sequence[Verdict]:
        """Keep at most `wanted`; the score is the distance at which a candidate was taken, over the largest one."""
        count = len(candidates.images)
        one_source = torch.zeros(count, dtype=torch.int64)  # so that the same classifier sees all
        features = self._tools.features(candidates.images, one_source)
        order, gaps = k_centres(features, min(wanted, count))
        largest = max(gaps, default=0.0) or 1.0
        scores = dict(zip(order, (min(1.0, gap / largest) for gap in gaps), strict=True))
        left_out = Verdict(False, 0.0, "other candidates of the class differ more from each other")
        return [Verdict(True, scores[place], "") if place in scores else left_out for place in range(count)]


def k_centres(features: Tensor, count: int) -> tuple[list[int], list[float]]:
    """Rows of features [N, D] in the order in which they are taken, and each one's distance to the rows taken before.

    The first row is the one nearest to the mean; its distance is set to the largest of all distances.
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
