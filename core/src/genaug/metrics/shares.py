"""Metrics that count images: class consistency, novelty, authenticity, and train on synthetic, test on real."""

from torch import Tensor

from genaug.builtin import NoveltyConfig, TSTRConfig
from genaug.classifier import fit_classifier
from genaug.config import MetricConfig
from genaug.data.split import TrainSplit
from genaug.images import to_uint8
from genaug.metric import Measured, ShareMetric, related
from genaug.metrics import functional
from genaug.spec import ImageSpec


class Consistency(ShareMetric[MetricConfig]):
    """How many synthetic images a classifier of real images takes for their class."""

    needs = "classes"
    higher_is_better = True

    def each(self, real: Measured, synthetic: Measured) -> dict[str, Tensor]:
        """Whether the most probable class is the right one."""
        return {"consistency": synthetic.values.argmax(dim=1) == synthetic.labels}


class Novelty(ShareMetric[NoveltyConfig]):
    """How many synthetic images are copies: nearer to a training image than nearly all of those are to each other."""

    needs = "features"
    higher_is_better = False

    def each(self, real: Measured, synthetic: Measured) -> dict[str, Tensor]:
        """Which ones are copies."""
        sides = real.values.flatten(1), synthetic.values.flatten(1)
        return {"copies": functional.copies(*sides, self.config.quantile, related(real, real))}


class Authenticity(ShareMetric[MetricConfig]):
    """How many synthetic images are not tied to one training image; compare it with what real ones get."""

    needs = "features"
    higher_is_better = True

    def each(self, real: Measured, synthetic: Measured) -> dict[str, Tensor]:
        """Which ones keep their distance."""
        sides = real.values.flatten(1), synthetic.values.flatten(1)
        return {"authenticity": functional.authentic(*sides, related(real, real))}


class TSTR(ShareMetric[TSTRConfig]):
    """Train a classifier on synthetic images alone, test it on held-out real ones (Esteban et al. 2017)."""

    needs = "pixels"
    reference = "held-out"
    higher_is_better = True

    def each(self, real: Measured, synthetic: Measured) -> dict[str, Tensor]:
        """Which real images are recognised."""
        classes = int(max(real.labels.max(), synthetic.labels.max())) + 1
        judge = fit_classifier(_as_split(synthetic, classes), steps=self.config.steps, seed=self.config.seed)
        return {"tstr": judge.probabilities(to_uint8(real.values)).argmax(dim=1) == real.labels}


def _as_split(images: Measured, classes: int) -> TrainSplit:
    counts = images.labels.bincount(minlength=classes).tolist()
    channels, height, width = images.values.shape[1:]
    spec = ImageSpec(channels, height, width, tuple(str(label) for label in range(classes)), tuple(counts))
    names = [f"{row:06d}" for row in range(len(images))]
    return TrainSplit.ordered(spec, to_uint8(images.values), images.labels.numpy(), names, names)
