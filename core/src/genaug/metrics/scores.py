"""The Inception Score: a number about class probabilities of the synthetic images alone."""

from genaug.builtin import InceptionScoreConfig
from genaug.chance import permutation
from genaug.metric import Measured, Metric
from genaug.metrics import functional


class InceptionScore(Metric[InceptionScoreConfig]):
    """Sharp and varied predictions; it never looks at a real image."""

    needs = "probabilities"
    higher_is_better = True

    def compute(self, real: Measured, synthetic: Measured) -> dict[str, float]:
        """In [1, K]."""
        mixed = permutation(len(synthetic), 0, "inception score")  # images come class by class
        return {"is": functional.inception_score(synthetic.values[mixed], self.config.splits)}
