"""Which changes of images keep each class: judged on real images by classifiers that never saw them."""

from genaug.probe.judging import Probe, allowed_settings, probe
from genaug.probe.verdicts import Finding, Judgement, least_right

__all__ = ["Finding", "Judgement", "Probe", "allowed_settings", "least_right", "probe"]
