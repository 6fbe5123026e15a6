"""The selector: rejects candidates that are blurrier than nearly all training images."""

from collections.abc import Sequence

from genaug.data.split import TrainSplit
from genaug.images import to_float
from genaug.selector import Candidates, Selector, Tools, Verdict
from torch import Tensor

from genaug_sharpness.blur import blurs
from genaug_sharpness.plugin import SharpnessSelectorConfig


class SharpnessSelector(Selector[SharpnessSelectorConfig]):
    """Keeps a candidate whose blur is at most a high quantile of the training images' blur."""

    def fit(self, train: TrainSplit, tools: Tools) -> None:
        """Measure the training images and set the limit."""
        self._training = blurs(to_float(train.images))
        self._limit = self._training.quantile(1 - self.config.lost)

    def judge(self, candidates: Candidates, accepted: Tensor, wanted: int) -> Sequence[Verdict]:
        """The score is the share of training images that are at least as blurred."""
        return [self._verdict(blur) for blur in blurs(candidates.images)]

    def _verdict(self, blur: Tensor) -> Verdict:
        score = float((self._training >= blur).double().mean())
        keep = bool(blur <= self._limit)
        return Verdict(keep, score, "" if keep else f"blurrier than {1 - score:.0%} of the training images")
