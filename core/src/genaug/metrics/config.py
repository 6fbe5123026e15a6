"""Settings of core's metrics."""

from genaug.config import MetricConfig, option


class ManifoldConfig(MetricConfig):
    """Settings of precision, recall, density and coverage."""

    neighbours: int = option(5, "The ball around an image reaches to its k-th neighbour.", unit="images", ge=1, le=100)


class NoveltyConfig(MetricConfig):
    """Settings of novelty."""

    quantile: float = option(
        0.01, "Closer than this quantile of the real leave-one-out distances is a copy.", unit="share", gt=0.0, lt=1.0
    )


class TSTRConfig(MetricConfig):
    """Settings of train on synthetic, test on real."""

    steps: int = option(400, "Training steps of the classifier.", unit="steps", ge=1, le=1_000_000)
    seed: int = option(0, "Seed of the classifier.", ge=0, le=2**63 - 1)
