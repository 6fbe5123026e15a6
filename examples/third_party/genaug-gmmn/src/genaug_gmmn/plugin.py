"""Description of gmmn with its presets; does not import torch."""

from collections.abc import Sequence

from genaug.config import Preset, TrainConfig
from genaug.hookspecs import GeneratorDescription, hookimpl
from genaug.spec import ImageSpec

from genaug_gmmn.config import GMMNConfig


def _auto(_spec: ImageSpec, _device: str) -> Preset:
    return Preset(model=GMMNConfig(), train=_train(2_000))


def _small(_spec: ImageSpec, _device: str) -> Preset:
    return Preset(model=GMMNConfig(latent=8, width=8), train=_train(200))


def _train(steps: int) -> TrainConfig:
    return TrainConfig(steps=steps, batch_size=64, balanced=True, average_decay=0.99)


@hookimpl
def genaug_generators() -> Sequence[GeneratorDescription]:
    """The generator of this package."""
    return [
        GeneratorDescription(
            name="gmmn",
            summary="Generative moment matching network: one small network over all classes, no discriminator",
            rank=500,
            config=GMMNConfig,
            presets={"auto": _auto, "small": _small},
            factory="genaug_gmmn.generator:GMMN",
            conditioning="class",
            api=1,
            paper="Li, Swersky and Zemel 2015 (arXiv 1502.02761)",
        )
    ]
