"""Rejects images that classifiers of real images do not take for their class."""

from collections.abc import Sequence

import torch
from torch import Tensor

from genaug.builtin import ConsistencySelectorConfig
from genaug.data.split import TrainSplit
from genaug.images import to_float
from genaug.selector import Candidates, Selector, Tools, Verdict

_LEAST = 1e-12


class Consistency(Selector[ConsistencySelectorConfig]):
    """A candidate stays when its class is the most probable one, or loses by no more than real images of it do.

    The margin is log p(class) less that of the most probable other class. A classifier of tens of images is unsure of
    some classes; their real images show by how much: at most `lost` of those would be rejected. Classes of fewer than
    `enough` images are held to the margin of all training images together.
    """

    def fit(self, train: TrainSplit, tools: Tools) -> None:
        """The margins of training images, each by the classifier that never saw it."""
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
        """The score is the probability of the class."""
        found = self._tools.probabilities(candidates.images, candidates.stems)
        labels = torch.full((len(found),), candidates.label)
        margins, seen = _margins(found, labels), found.argmax(dim=1)
        return [
            self._verdict(candidates.label, *facts)
            for facts in zip(margins.tolist(), found[:, candidates.label].tolist(), seen.tolist(), strict=True)
        ]

    def _verdict(self, label: int, margin: float, probability: float, seen: int) -> Verdict:
        keep = seen == label or margin >= self._thresholds[label]
        reason = (
            "" if keep else f"looks like {self._classes[seen]}, not like {self._classes[label]} (p = {probability:.2g})"
        )
        return Verdict(keep, min(1.0, max(0.0, probability)), reason)

    def _least(self, margins: Tensor) -> float:
        return min(0.0, float(torch.quantile(margins, self.config.lost)))


def _margins(probabilities: Tensor, labels: Tensor) -> Tensor:
    """Log p(label) - the largest log p of another class, float64 [N], from probabilities [N, K]; 0 with one class."""
    logs = probabilities.double().clamp_min(_LEAST).log()
    own = logs.gather(1, labels[:, None])
    if logs.shape[1] == 1:
        return torch.zeros(len(logs), dtype=torch.float64)
    return (own - logs.scatter(1, labels[:, None], -torch.inf).max(dim=1, keepdim=True).values)[:, 0]
