"""Synthetic against real images: every metric with its interval, its real-against-real value, overall and by class."""

from genaug.evaluation.compare import Estimate, Row, compare
from genaug.evaluation.sides import Sides, inner, load_sides, parent_rows, unseen
from genaug.evaluation.views import Views, fresh_judges
from genaug.evaluation.wishes import Wish, lean_on_default, make_extractors, parse_wishes, resolve_features

__all__ = [
    "Estimate",
    "Row",
    "Sides",
    "Views",
    "Wish",
    "compare",
    "fresh_judges",
    "inner",
    "lean_on_default",
    "load_sides",
    "make_extractors",
    "parent_rows",
    "parse_wishes",
    "resolve_features",
    "unseen",
]
