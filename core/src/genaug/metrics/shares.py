"""Metrics that are a share of images: class consistency, novelty, authenticity, train on synthetic and test on real."""

from torch import Tensor

from genaug.classifier import fit_classifier
from genaug.config import MetricConfig
from genaug.data.split import TrainSplit
from genaug.images import to_uint8
from genaug.metric import Measured, ShareMetric, related
from genaug.metrics import functional
from genaug.metrics.plugin import NoveltyConfig, TSTRConfig
from genaug.spec import ImageSpec


class Consistency(ShareMetric[MetricConfig]):
    """Share of synthetic images that a classifier of real images assigns to their own class."""

    needs = "classes"
    higher_is_better = True

    def each(self, real: Measured, synthetic: Measured) -> dict[str, Tensor]:
        """Whether the most probable class of each synthetic image is its label."""
        return {"consistency": synthetic.values.argmax(dim=1) == synthetic.labels}


class Novelty(ShareMetric[NoveltyConfig]):
    """Share of copies: synthetic images nearer to a training image than nearly all of these are to each other."""

    needs = "features"
    higher_is_better = False

    def each(self, real: Measured, synthetic: Measured) -> dict[str, Tensor]:
        """Whether each synthetic image is a copy."""
        rows = real.values.flatten(1), synthetic.values.flatten(1)
        return {"copies": functional.copies(*rows, self.config.quantile, related(real, real))}


class Authenticity(ShareMetric[MetricConfig]):
    """Share of synthetic images that do not imitate one training image. Compare it with the value for real images."""

    needs = "features"
    higher_is_better = True

    def each(self, real: Measured, synthetic: Measured) -> dict[str, Tensor]:
        """Whether each synthetic image is further from its nearest real image than that is from other real images."""
        rows = real.values.flatten(1), synthetic.values.flatten(1)
        return {"authenticity": functional.authentic(*rows, related(real, real))}


class TSTR(ShareMetric[TSTRConfig]):
    """Accuracy on held-out real images of a classifier trained on synthetic images alone (Esteban et al. 2017)."""

    needs = "pixels"
    reference = "held-out"
    higher_is_better = True

    def each(self, real: Measured, synthetic: Measured) -> dict[str, Tensor]:
        """Whether each held-out real image is classified correctly."""
        classes = int(max(real.labels.max(), synthetic.labels.max())) + 1
        judge = fit_classifier(_as_split(synthetic, classes), steps=self.config.steps, seed=self.config.seed)
        return {"tstr": judge.probabilities(to_uint8(real.values)).argmax(dim=1) == real.labels}


def _as_split(images: Measured, classes: int) -> TrainSplit:
    counts = images.labels.bincount(minlength=classes).tolist()
    channels, height, width = images.values.shape[1:]
    spec = ImageSpec(channels, height, width, tuple(str(label) for label in range(classes)), tuple(counts))
    names = [f"{row:06d}" for row in range(len(images))]
    return TrainSplit.ordered(spec, to_uint8(images.values), images.labels.numpy(), names, names)
