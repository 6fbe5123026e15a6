"""Descriptions and settings of core's own metrics; imports no torch."""

from collections.abc import Sequence

from genaug.config import MetricConfig, option
from genaug.hookspecs import MetricDescription, hookimpl


class ManifoldConfig(MetricConfig):
    """Settings of precision, recall, density and coverage."""

    neighbours: int = option(
        5, "k: the ball around each image reaches to its k-th nearest neighbour.", unit="images", ge=1, le=100
    )


class InceptionScoreConfig(MetricConfig):
    """Settings of the Inception Score."""

    splits: int = option(
        1,
        "Parts of the images whose scores are averaged. torchmetrics uses 10, which lowers the score.",
        unit="parts",
        ge=1,
        le=1000,
    )


class NoveltyConfig(MetricConfig):
    """Settings of novelty."""

    quantile: float = option(
        0.01,
        "A copy is nearer to a real image than this quantile of real images' distances to their nearest other one.",
        unit="share",
        gt=0.0,
        lt=1.0,
    )


class TSTRConfig(MetricConfig):
    """Settings of train on synthetic, test on real."""

    steps: int = option(200, "Training steps of the classifier.", unit="steps", ge=1, le=1_000_000)
    seed: int = option(0, "Seed of the classifier.", ge=0, le=2**63 - 1)


def _metric(
    name: str,
    factory: str,
    summary: str,
    *,
    config: type[MetricConfig] = MetricConfig,
    least: int = 20,
    paper: str = "",
) -> MetricDescription:
    return MetricDescription(name, summary, config, f"genaug.metrics.{factory}", least_images=least, paper=paper, api=1)


_KYNKAANNIEMI, _NAEEM = "Kynkäänniemi et al. 2019 (arXiv 1904.06991)", "Naeem et al. 2020 (arXiv 2002.09797)"
_METRICS = (
    _metric(
        "consistency",
        "shares:Consistency",
        "share of images that a classifier of real images assigns to their own class",
    ),
    _metric("novelty", "shares:Novelty", "share of copies of training images", config=NoveltyConfig),
    _metric(
        "authenticity",
        "shares:Authenticity",
        "share of images that do not imitate one training image",
        paper="Alaa et al. 2022 (arXiv 2102.08921)",
    ),
    _metric(
        "tstr",
        "shares:TSTR",
        "accuracy on held-out real images of a classifier trained on synthetic ones",
        config=TSTRConfig,
        paper="Esteban et al. 2017 (arXiv 1706.02633)",
    ),
    _metric(
        "kid",
        "distributions:KID",
        "unbiased kernel distance, cubic polynomial kernel",
        paper="Binkowski et al. 2018 (arXiv 1801.01401)",
    ),
    _metric(
        "mmd",
        "distributions:MMD",
        "unbiased kernel distance, Gaussian kernel",
        paper="Gretton et al. 2012 (JMLR 13)",
    ),
    _metric(
        "precision",
        "distributions:Precision",
        "share of synthetic images near real ones",
        config=ManifoldConfig,
        least=50,
        paper=_KYNKAANNIEMI,
    ),
    _metric(
        "recall",
        "distributions:Recall",
        "share of real images near synthetic ones",
        config=ManifoldConfig,
        least=50,
        paper=_KYNKAANNIEMI,
    ),
    _metric(
        "density",
        "distributions:Density",
        "like precision, but robust to outliers among the real images",
        config=ManifoldConfig,
        least=50,
        paper=_NAEEM,
    ),
    _metric(
        "coverage",
        "distributions:Coverage",
        "like recall, but robust to outliers among the synthetic images",
        config=ManifoldConfig,
        least=50,
        paper=_NAEEM,
    ),
    _metric(
        "fid",
        "distributions:FID",
        "Fréchet distance, for comparison with publications; biased for small numbers of images",
        least=2048,
        paper="Heusel et al. 2017 (arXiv 1706.08500)",
    ),
    _metric(
        "is",
        "scores:InceptionScore",
        "Inception Score, for comparison with publications; does not use real images",
        config=InceptionScoreConfig,
        least=5000,
        paper="Salimans et al. 2016 (arXiv 1606.03498)",
    ),
    _metric(
        "ssim",
        "distributions:SSIM",
        "mean structural similarity over pairs of up to 500 real and 500 synthetic images, as in the paper",
        least=2,
        paper="Wang et al. 2004 (IEEE TIP 13)",
    ),
)


@hookimpl
def genaug_metrics() -> Sequence[MetricDescription]:
    """The paper's three metrics (fid, is, ssim), and metrics that are reliable for tens of images."""
    return _METRICS
