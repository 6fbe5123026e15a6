"""The metric and the selector keep their contracts."""

from genaug.testing import MetricContract, SelectorContract


class TestSharpness(MetricContract):
    metric = "sharpness"


class TestSharpnessSelector(SelectorContract):
    selector = "sharpness"
