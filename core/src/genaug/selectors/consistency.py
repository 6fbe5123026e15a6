"""Rejects images that classifiers, trained on real images, assign to another class."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from genaug.data.split import TrainSplit
from genaug.images import to_float
from genaug.selector import Candidates, Selector, Tools, Verdict
from genaug.selectors.plugin import ConsistencySelectorConfig
from genaug.significance import above_chance, holm


class ConsistencySelector(Selector[ConsistencySelectorConfig]):
    """Keeps a candidate if the probability of its class is at least `least`, by calibrated cross-fitted classifiers.

    Of real images that its judge has not seen, one half rejects 0.015 on Chinese traffic signs and 0.027 on German ones
    (`benchmarks/judges.py`, docs/selection.md).

    Classes that the classifiers recognise no better than by chance are refused as a whole: for these, a probability
    means nothing. The test is exact, one-sided and corrected for the number of classes, on the real images of each
    class, each judged by a classifier that was not trained on it.
    """

    def fit(self, train: TrainSplit, tools: Tools) -> None:
        """Find the classes that are refused; none if there is one class, or one fold, so that no image is held out."""
        self._tools, self._classes = tools, train.spec.classes
        self._refused: dict[int, str] = {}
        if len(self._classes) > 1 and int(tools.folds.max()) > 0:
            found = tools.probabilities(to_float(train.images), torch.arange(len(train))).argmax(dim=1)
            self._refused = self._unrecognised(found, torch.from_numpy(train.labels))

    def refused(self) -> Mapping[int, str]:
        """The labels that the classifiers do not recognise, with the reason."""
        return self._refused

    def judge(self, candidates: Candidates, accepted: Tensor, wanted: int) -> Sequence[Verdict]:
        """One verdict per candidate; the score is the probability of its class."""
        found = self._tools.probabilities(candidates.images, candidates.sources)
        pairs = zip(found[:, candidates.label].tolist(), found.argmax(dim=1).tolist(), strict=True)
        return [self._verdict(candidates.label, *pair) for pair in pairs]

    def _verdict(self, label: int, probability: float, predicted: int) -> Verdict:
        keep = label not in self._refused and probability >= self.config.least
        reason = "" if keep else self._refused.get(label) or self._reason(label, probability, predicted)
        return Verdict(keep, min(1.0, max(0.0, probability)), reason)

    def _reason(self, label: int, probability: float, predicted: int) -> str:
        name = self._classes[label]
        if predicted == label:
            return f"looks like {name}, but not clearly (p = {probability:.2g})"
        return f"looks like {self._classes[predicted]}, not like {name} (p = {probability:.2g})"

    def _unrecognised(self, predicted: Tensor, labels: Tensor) -> dict[int, str]:
        """{label: reason} of the classes whose share of right predictions is not above chance."""
        count = len(self._classes)
        images = labels.bincount(minlength=count).tolist()
        right = labels[predicted == labels].bincount(minlength=count).tolist()
        p_values = holm([above_chance(*pair, 1 / count) for pair in zip(right, images, strict=True)])
        return {
            label: f"the judges recognise {right[label]} of {images[label]} of its held-out images, "
            "not more than chance"
            for label, p in enumerate(p_values)
            if p > self.config.level
        }
