"""Compares synthetic with real images: each metric with its interval and its baseline, overall and for each class."""

from genaug.evaluation.compare import MetricEstimate, Row, compare
from genaug.evaluation.inputs import EvaluationInputs, compared_files, inner, load_inputs, parent_rows, unseen
from genaug.evaluation.metric_inputs import MetricInputs, fresh_judges
from genaug.evaluation.origin_rows import DETECTABILITY_LEFT_OUT, detectability_rows, without_detectability
from genaug.evaluation.requests import (
    MetricRequest,
    make_extractors,
    parse_requests,
    resolve_features,
    uses_default_features,
)

__all__ = [
    "DETECTABILITY_LEFT_OUT",
    "EvaluationInputs",
    "MetricEstimate",
    "MetricInputs",
    "MetricRequest",
    "Row",
    "compare",
    "compared_files",
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
    "without_detectability",
]
