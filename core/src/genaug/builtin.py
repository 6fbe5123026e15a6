"""Torch-free descriptions of core's own plugins."""

from collections.abc import Sequence
from typing import Literal

from genaug.config import AugmentationConfig, GeneratorConfig, MetricConfig, Preset, TrainConfig, option
from genaug.registry import GeneratorDescription, MetricDescription, hookimpl
from genaug.spec import ImageSpec


class OversampleConfig(GeneratorConfig):
    """Plain repetition has nothing to set."""


class ClassicalConfig(GeneratorConfig):
    """Settings of classical augmentation."""

    pipeline: Literal["light", "paper"] = option("paper", "Albumentations pipeline that varies the training images.")


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
        ),
        GeneratorDescription(
            name="oversample",
            summary="Repeats training images unchanged; trains nothing",
            rank=910,
            config=OversampleConfig,
            presets={"auto": _oversample},
            factory="genaug.generators.oversample:Oversample",
            conditioning="class",
        ),
    ]


@hookimpl
def genaug_metrics() -> Sequence[MetricDescription]:
    """The report's three metrics, and those that can be trusted at tens of images."""
    manifold = "Kynkäänniemi et al. 2019 (arXiv 1904.06991); Naeem et al. 2020 (arXiv 2002.09797)"
    rows: list[tuple[str, str, type[MetricConfig], str, int, str]] = [
        (
            "consistency",
            "share of synthetic images that a classifier of real images takes for their class",
            MetricConfig,
            "shares:Consistency",
            20,
            "",
        ),
        (
            "novelty",
            "share of copies: nearer to a training image than those are to each other",
            NoveltyConfig,
            "shares:Novelty",
            20,
            "",
        ),
        (
            "authenticity",
            "share of synthetic images that are not tied to one training image",
            MetricConfig,
            "shares:Authenticity",
            20,
            "Alaa et al. 2022 (arXiv 2102.08921)",
        ),
        (
            "tstr",
            "accuracy on held-out real images of a classifier trained on synthetic ones",
            TSTRConfig,
            "shares:TSTR",
            20,
            "Esteban et al. 2017 (arXiv 1706.02633)",
        ),
        (
            "kid",
            "kernel distance, cubic polynomial kernel; unbiased",
            MetricConfig,
            "distributions:KID",
            20,
            "Binkowski et al. 2018 (arXiv 1801.01401)",
        ),
        (
            "mmd",
            "kernel distance, Gaussian kernel; unbiased",
            MetricConfig,
            "distributions:MMD",
            20,
            "Gretton et al. 2012 (JMLR 13)",
        ),
        (
            "precision",
            "share of synthetic images near real ones",
            ManifoldConfig,
            "distributions:Precision",
            50,
            manifold,
        ),
        ("recall", "share of real images near synthetic ones", ManifoldConfig, "distributions:Recall", 50, manifold),
        ("density", "precision that outliers do not spoil", ManifoldConfig, "distributions:Density", 50, manifold),
        ("coverage", "recall that outliers do not spoil", ManifoldConfig, "distributions:Coverage", 50, manifold),
        (
            "fid",
            "Fréchet distance, for comparison with papers; biased at small numbers",
            MetricConfig,
            "distributions:FID",
            2048,
            "Heusel et al. 2017 (arXiv 1706.08500)",
        ),
        (
            "is",
            "Inception Score, for comparison with papers; never looks at real images",
            MetricConfig,
            "scores:InceptionScore",
            5000,
            "Salimans et al. 2016 (arXiv 1606.03498)",
        ),
        (
            "ssim",
            "mean structural similarity over all real x synthetic pairs, for comparison with the report",
            MetricConfig,
            "distributions:SSIM",
            2,
            "Wang et al. 2004",
        ),
    ]
    return [
        MetricDescription(name, summary, config, f"genaug.metrics.{factory}", least_images=least, paper=paper)
        for name, summary, config, factory, least, paper in rows
    ]
