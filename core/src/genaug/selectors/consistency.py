"""Rejects images that classifiers, trained on real images, assign to another class."""

from collections.abc import Sequence

import torch
from torch import Tensor

from genaug.data.split import TrainSplit
from genaug.images import to_float
from genaug.selector import Candidates, Selector, Tools, Verdict
from genaug.selectors.plugin import ConsistencySelectorConfig

_LEAST = 1e-12


class ConsistencySelector(Selector[ConsistencySelectorConfig]):
    """Keeps a candidate if its class is the most probable one, or if its margin is as large as that of real images.

    The margin is log p(class) - log p(most probable other class). Classifiers trained on tens of images are unsure of
    some classes, so the threshold of a class is the `lost` quantile of the margins of its real images, at most 0. For
    classes with fewer than `enough` images it is the quantile over all training images.
    """

    def fit(self, train: TrainSplit, tools: Tools) -> None:
        """Set the thresholds from the margins of training images, each judged by the classifier that never saw it."""
        self._tools, self._classes = tools, train.spec.classes
        labels = torch.from_numpy(train.labels)
        margins = _margins(tools.probabilities(to_float(train.images), torch.arange(len(train))), labels)
        pooled = self._least(margins)
        counts = labels.bincount(minlength=len(self._classes)).tolist()
        self._thresholds = [
            self._least(margins[labels == label]) if count >= self.config.enough else pooled
            for label, count in enumerate(counts)
        ]

    def judge(self, candidates: Candidates, accepted: Tensor, wanted: int) -> Sequence[Verdict]:
        """One verdict per candidate; the score is the probability of its class."""
        found = self._tools.probabilities(candidates.images, candidates.sources)
        labels = torch.full((len(found),), candidates.label)
        margins, predicted = _margins(found, labels), found.argmax(dim=1)
        return [
            self._verdict(candidates.label, *facts)
            for facts in zip(margins.tolist(), found[:, candidates.label].tolist(), predicted.tolist(), strict=True)
        ]

    def _verdict(self, label: int, margin: float, probability: float, predicted: int) -> Verdict:
        keep = predicted == label or margin >= self._thresholds[label]
        names = self._classes
        reason = "" if keep else f"looks like {names[predicted]}, not like {names[label]} (p = {probability:.2g})"
        return Verdict(keep, min(1.0, max(0.0, probability)), reason)

    def _least(self, margins: Tensor) -> float:
        return min(0.0, float(torch.quantile(margins, self.config.lost)))


def _margins(probabilities: Tensor, labels: Tensor) -> Tensor:
    """Log p(label) - the largest log p of another class, float64 [N], from probabilities [N, K]; 0 if K is 1."""
    logs = probabilities.double().clamp_min(_LEAST).log()
    own = logs.gather(1, labels[:, None])
    if logs.shape[1] == 1:
        return torch.zeros(len(logs), dtype=torch.float64)
    return (own - logs.scatter(1, labels[:, None], -torch.inf).max(dim=1, keepdim=True).values)[:, 0]
