"""Torch-free descriptions of core's own plugins."""

from collections.abc import Sequence
from typing import Literal

from genaug.config import (
    AllowedChanges,
    AugmentationConfig,
    GeneratorConfig,
    MetricConfig,
    Preset,
    SelectorConfig,
    TrainConfig,
    option,
)
from genaug.registry import GeneratorDescription, MetricDescription, SelectorDescription, hookimpl
from genaug.spec import ImageSpec


class OversampleConfig(GeneratorConfig):
    """Plain repetition has nothing to set."""


class ClassicalConfig(GeneratorConfig, AllowedChanges):
    """Settings of classical augmentation."""

    pipeline: Literal["light", "paper"] = option("paper", "Albumentations pipeline that varies the training images.")


class ManifoldConfig(MetricConfig):
    """Settings of precision, recall, density and coverage."""

    neighbours: int = option(5, "The ball around an image reaches to its k-th neighbour.", unit="images", ge=1, le=100)


class InceptionScoreConfig(MetricConfig):
    """Settings of the Inception Score."""

    splits: int = option(
        1,
        "The mean score of at most so many parts; torchmetrics takes 10, which lowers it.",
        unit="parts",
        ge=1,
        le=1000,
    )


class NoveltyConfig(MetricConfig):
    """Settings of novelty."""

    quantile: float = option(
        0.01, "Closer than this quantile of the real leave-one-out distances is a copy.", unit="share", gt=0.0, lt=1.0
    )


class TSTRConfig(MetricConfig):
    """Settings of train on synthetic, test on real."""

    steps: int = option(400, "Training steps of the classifier.", unit="steps", ge=1, le=1_000_000)
    seed: int = option(0, "Seed of the classifier.", ge=0, le=2**63 - 1)


class NoveltySelectorConfig(SelectorConfig):
    """Settings of the selector novelty."""

    found: float = option(
        0.95,
        "Share of planted copies of training images that the distance in pixels has to find.",
        unit="share",
        gt=0.0,
        lt=1.0,
    )
    lost: float = option(
        0.1, "Largest share of training images that may count as copies of each other.", unit="share", gt=0.0, lt=1.0
    )


class ConsistencySelectorConfig(SelectorConfig):
    """Settings of the selector consistency."""

    lost: float = option(
        0.1, "Share of real images of a class that may fail the same test.", unit="share", ge=0.0, lt=1.0
    )
    enough: int = option(
        15, "Real images below which a class is held to the test of all classes.", unit="images", ge=1, le=1_000_000
    )


class RealismSelectorConfig(SelectorConfig):
    """Settings of the selector realism."""

    neighbours: int = option(3, "Which nearest real image the distance is taken to.", unit="images", ge=1, le=100)
    lost: float = option(
        0.02, "Share of real images that may count as outliers among themselves.", unit="share", ge=0.0, lt=1.0
    )


class DiversitySelectorConfig(SelectorConfig):
    """Settings of the selector diversity."""

    spare: float = option(2.0, "Candidates to choose from for each wanted image.", unit="times", ge=1.0, le=100.0)


def _oversample(_spec: ImageSpec, _device: str) -> Preset:
    return _untrained(OversampleConfig())


def _classical(_spec: ImageSpec, _device: str) -> Preset:
    return _untrained(ClassicalConfig())


def _untrained(model: GeneratorConfig) -> Preset:
    return Preset(model=model, train=TrainConfig(steps=1), augmentation=AugmentationConfig())


@hookimpl
def genaug_generators() -> Sequence[GeneratorDescription]:
    """The two generators that train nothing: what every trained one has to beat."""
    return [
        GeneratorDescription(
            name="classical",
            summary="Albumentations variants of the training images; trains nothing",
            rank=900,
            config=ClassicalConfig,
            presets={"auto": _classical},
            factory="genaug.generators.classical:Classical",
            conditioning="class",
            judged=False,
        ),
        GeneratorDescription(
            name="oversample",
            summary="Repeats training images unchanged; trains nothing",
            rank=910,
            config=OversampleConfig,
            presets={"auto": _oversample},
            factory="genaug.generators.oversample:Oversample",
            conditioning="class",
            judged=False,
        ),
    ]


def _metric(
    name: str,
    factory: str,
    summary: str,
    *,
    config: type[MetricConfig] = MetricConfig,
    least: int = 20,
    paper: str = "",
) -> MetricDescription:
    return MetricDescription(name, summary, config, f"genaug.metrics.{factory}", least_images=least, paper=paper)


_KYNKAANNIEMI, _NAEEM = "Kynkäänniemi et al. 2019 (arXiv 1904.06991)", "Naeem et al. 2020 (arXiv 2002.09797)"
_METRICS = (
    _metric(
        "consistency", "shares:Consistency", "share of images that a classifier of real ones takes for their class"
    ),
    _metric("novelty", "shares:Novelty", "share of copies of training images", config=NoveltyConfig),
    _metric(
        "authenticity",
        "shares:Authenticity",
        "share of images that are not tied to one training image",
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
        "kernel distance, cubic polynomial kernel; unbiased",
        paper="Binkowski et al. 2018 (arXiv 1801.01401)",
    ),
    _metric(
        "mmd",
        "distributions:MMD",
        "kernel distance, Gaussian kernel; unbiased",
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
        "precision that outliers do not spoil",
        config=ManifoldConfig,
        least=50,
        paper=_NAEEM,
    ),
    _metric(
        "coverage",
        "distributions:Coverage",
        "recall that outliers do not spoil",
        config=ManifoldConfig,
        least=50,
        paper=_NAEEM,
    ),
    _metric(
        "fid",
        "distributions:FID",
        "Fréchet distance, for comparison with papers; biased at small numbers",
        least=2048,
        paper="Heusel et al. 2017 (arXiv 1706.08500)",
    ),
    _metric(
        "is",
        "scores:InceptionScore",
        "Inception Score, for comparison with papers; never looks at real images",
        config=InceptionScoreConfig,
        least=5000,
        paper="Salimans et al. 2016 (arXiv 1606.03498)",
    ),
    _metric(
        "ssim",
        "distributions:SSIM",
        "mean structural similarity over real x synthetic pairs of at most 500 images a side, as in the report",
        least=2,
        paper="Wang et al. 2004 (IEEE TIP 13)",
    ),
)


@hookimpl
def genaug_metrics() -> Sequence[MetricDescription]:
    """The report's three metrics, and those that can be trusted at tens of images."""
    return _METRICS


def _selector(
    name: str, factory: str, summary: str, config: type[SelectorConfig], *, paper: str = ""
) -> SelectorDescription:
    return SelectorDescription(name, summary, config, f"genaug.selectors.{factory}", paper=paper)


@hookimpl
def genaug_selectors() -> Sequence[SelectorDescription]:
    """Against copies, wrong classes, outliers and sameness."""
    return [
        _selector(
            "novelty", "novelty:Novelty", "rejects copies of training images and of each other", NoveltySelectorConfig
        ),
        _selector(
            "consistency",
            "consistency:Consistency",
            "rejects images that classifiers of real ones do not take for their class",
            ConsistencySelectorConfig,
        ),
        _selector(
            "realism",
            "realism:Realism",
            "rejects outliers in feature space",
            RealismSelectorConfig,
            paper="Loftsgaarden and Quesenberry 1965 (Ann. Math. Stat. 36)",
        ),
        _selector(
            "diversity",
            "diversity:Diversity",
            "chooses the most different ones of more candidates than are wanted",
            DiversitySelectorConfig,
            paper="Gonzalez 1985 (Theor. Comput. Sci. 38)",
        ),
    ]
