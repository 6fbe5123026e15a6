"""Features in which images are compared: pixels, and the outputs of cross-fitted classifiers, Inception or DINOv2."""

from genaug.features.crossfit import (
    ClassifierTask,
    CrossFit,
    JudgeProgress,
    cross_fit,
    deal_folds,
    folds_of,
    near_groups,
    part_of,
    trained,
)
from genaug.features.extractors import Extractor, make_extractor
from genaug.features.weights import DINOV2, INCEPTION, Public, find_weights, load_state

__all__ = [
    "ClassifierTask",
    "CrossFit",
    "DINOV2",
    "Extractor",
    "INCEPTION",
    "JudgeProgress",
    "Public",
    "cross_fit",
    "deal_folds",
    "find_weights",
    "folds_of",
    "load_state",
    "make_extractor",
    "near_groups",
    "part_of",
    "trained",
]
