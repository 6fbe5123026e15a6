"""Compares synthetic with real images: each metric with its interval and its baseline, overall and for each class."""

from genaug.evaluation.compare import MetricEstimate, Row, compare
from genaug.evaluation.inputs import EvaluationInputs, inner, load_inputs, parent_rows, unseen
from genaug.evaluation.metric_inputs import MetricInputs, fresh_judges
from genaug.evaluation.origin_rows import DETECTABILITY, detectability_rows
from genaug.evaluation.requests import (
    MetricRequest,
    make_extractors,
    parse_requests,
    resolve_features,
    uses_default_features,
)

__all__ = [
    "DETECTABILITY",
    "EvaluationInputs",
    "MetricEstimate",
    "MetricInputs",
    "MetricRequest",
    "Row",
    "compare",
    "detectability_rows",
    "fresh_judges",
    "inner",
    "load_inputs",
    "make_extractors",
    "parent_rows",
    "parse_requests",
    "resolve_features",
    "unseen",
    "uses_default_features",
]
