"""The label-safety probe: which changes of an image keep its class, tested on real images with classifiers."""

from genaug.probe.judging import Probe, allowed_settings, probe
from genaug.probe.verdicts import ChangeFinding, Judgement, least_right

__all__ = ["ChangeFinding", "Judgement", "Probe", "allowed_settings", "least_right", "probe"]
