"""The Inception Score, which is computed from the class probabilities of the synthetic images alone."""

from genaug.chance import permutation
from genaug.metric import Measured, Metric
from genaug.metrics import functional
from genaug.metrics.plugin import InceptionScoreConfig


class InceptionScore(Metric[InceptionScoreConfig]):
    """High if each image is classified with certainty and all classes occur equally often. Real images are not used."""

    needs = "probabilities"
    higher_is_better = True

    def compute(self, real: Measured, synthetic: Measured) -> dict[str, float]:
        """The score, in [1, K] for K classes."""
        shuffled = permutation(len(synthetic), 0, "inception score")  # images are sorted by class, parts must not be
        return {"is": functional.inception_score(synthetic.values[shuffled], self.config.splits)}
