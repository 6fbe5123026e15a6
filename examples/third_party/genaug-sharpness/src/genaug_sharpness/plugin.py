"""Descriptions and settings of the metric and the selector; this module does not import torch."""

from collections.abc import Sequence

from genaug.config import MetricConfig, SelectorConfig, option
from genaug.hookspecs import MetricDescription, SelectorDescription, hookimpl

_PAPER = "Crété-Roffet et al. 2007 (Proc. SPIE 6492)"


class SharpnessMetricConfig(MetricConfig):
    """Settings of the metric."""

    central: float = option(
        0.95, "Central share of the real images whose blur is the accepted range.", unit="share", gt=0.0, le=1.0
    )


class SharpnessSelectorConfig(SelectorConfig):
    """Settings of the selector."""

    lost: float = option(
        0.02, "Share of the training images that may be blurrier than the limit.", unit="share", ge=0.0, lt=1.0
    )


@hookimpl
def genaug_metrics() -> Sequence[MetricDescription]:
    """The metric of this package."""
    summary, factory = "share of images as sharp as real ones", "genaug_sharpness.metric:Sharpness"
    return [
        MetricDescription("sharpness", summary, SharpnessMetricConfig, factory, least_images=20, paper=_PAPER, api=1)
    ]


@hookimpl
def genaug_selectors() -> Sequence[SelectorDescription]:
    """The selector of this package."""
    summary, factory = "rejects blurred images", "genaug_sharpness.selector:SharpnessSelector"
    return [SelectorDescription("sharpness", summary, SharpnessSelectorConfig, factory, paper=_PAPER, api=1)]
