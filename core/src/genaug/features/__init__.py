"""What images are compared in: pixels, cross-fitted classifiers, Inception, DINOv2."""

from genaug.features.crossfit import CrossFit, JudgeProgress, cross_fit, near_groups
from genaug.features.extractors import Extractor, make_extractor
from genaug.features.weights import DINOV2, INCEPTION, find_weights

__all__ = [
    "CrossFit",
    "DINOV2",
    "Extractor",
    "INCEPTION",
    "JudgeProgress",
    "cross_fit",
    "find_weights",
    "make_extractor",
    "near_groups",
]
