"""Conformance kits: what the test file of a plugin subclasses, three lines for each generator, metric or selector."""

from genaug.testing.generators import GeneratorContract
from genaug.testing.metrics import MetricContract
from genaug.testing.selectors import SelectorContract

__all__ = ["GeneratorContract", "MetricContract", "SelectorContract"]
