"""Descriptions of core's own generators; does not import torch."""

from collections.abc import Sequence
from typing import Literal

from genaug.config import AllowedChanges, AugmentationConfig, GeneratorConfig, Preset, TrainConfig, option
from genaug.hookspecs import GeneratorDescription, Needs, hookimpl
from genaug.spec import ImageSpec


class OversampleConfig(GeneratorConfig):
    """Oversampling has no settings."""


class ClassicalConfig(GeneratorConfig, AllowedChanges):
    """Settings of classical augmentation."""

    pipeline: Literal["light", "paper"] = option("paper", "Albumentations pipeline that varies the training images.")


def _oversample(_spec: ImageSpec, _device: str) -> Preset:
    return _untrained(OversampleConfig())


def _classical(_spec: ImageSpec, _device: str) -> Preset:
    return _untrained(ClassicalConfig())


def _untrained(model: GeneratorConfig) -> Preset:
    return Preset(model=model, train=TrainConfig(steps=1), augmentation=AugmentationConfig())


@hookimpl
def genaug_generators() -> Sequence[GeneratorDescription]:
    """The two generators without training, which every trained generator should beat."""
    return [
        GeneratorDescription(
            name="classical",
            summary="Albumentations variants of the training images; trains nothing",
            rank=900,
            config=ClassicalConfig,
            presets={"auto": _classical},
            factory="genaug.generators.classical:Classical",
            conditioning="class",
            api=1,
            needs=Needs(sizes=(16, 1024)),
            from_originals=True,
        ),
        GeneratorDescription(
            name="oversample",
            summary="Repeats training images unchanged; trains nothing",
            rank=910,
            config=OversampleConfig,
            presets={"auto": _oversample},
            factory="genaug.generators.oversample:Oversample",
            conditioning="class",
            api=1,
            needs=Needs(sizes=(16, 1024)),
            from_originals=True,
        ),
    ]
