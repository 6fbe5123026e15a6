"""Descriptions of dcgan and cdcgan with their presets; does not import torch."""

from collections.abc import Sequence

from genaug.config import AugmentationConfig, Preset, TrainConfig
from genaug.hookspecs import GeneratorDescription, Needs, hookimpl
from genaug.layers.settings import bounded_steps
from genaug.spec import ImageSpec

from genaug_dcgan.config import CDCGANConfig, DCGANConfig


def _paper(_spec: ImageSpec, _device: str) -> Preset:
    return _paper_settings(DCGANConfig, TrainConfig(epochs=10_000, batch_size=32))


def _conditional_paper(_spec: ImageSpec, _device: str) -> Preset:
    return _paper_settings(CDCGANConfig, TrainConfig(epochs=10_000, batch_size=32))


def _paper_settings(config: type[DCGANConfig], train: TrainConfig) -> Preset:
    """The settings of the paper (docs/paper.md); it gives no batch size and no label noise, so 32 and 0.1 are ours."""
    model = config(
        network="paper",
        latent=256,
        dropout=0.2,
        label_noise=0.1,
        gradient_penalty=0.0,
        mode_seeking=0.0,
        differentiable=(),
        learning_rate=2e-4,
    )
    return Preset(model=model, train=train, augmentation=AugmentationConfig(pipeline="paper", enlargement=3))


def _small(_spec: ImageSpec, _device: str) -> Preset:
    return Preset(model=DCGANConfig(latent=32, width=16), train=_train(300, 16))


def _conditional_small(_spec: ImageSpec, _device: str) -> Preset:
    return Preset(model=CDCGANConfig(latent=32, width=16, embedding=16), train=_train(300, 32))


def _auto(spec: ImageSpec, device: str) -> Preset:
    steps = bounded_steps(spec, device, 1_500)
    return Preset(model=DCGANConfig(width=_width(device)), train=_train(steps, 16))


def _conditional_auto(spec: ImageSpec, device: str) -> Preset:
    steps = bounded_steps(spec, device, 3_000)
    return Preset(model=CDCGANConfig(width=_width(device)), train=_train(steps, 32))


def _train(steps: int, batch_size: int) -> TrainConfig:
    return TrainConfig(steps=steps, batch_size=batch_size, balanced=True, average_decay=0.995)


def _width(device: str) -> int:
    return 32 if device == "cpu" else 64


@hookimpl
def genaug_generators() -> Sequence[GeneratorDescription]:
    """The two generators of this package."""
    return [
        GeneratorDescription(
            name="cdcgan",
            summary="Class-conditional DCGAN: one model over all classes, for tens of images per class",
            rank=10,
            config=CDCGANConfig,
            presets={"auto": _conditional_auto, "small": _conditional_small, "paper": _conditional_paper},
            factory="genaug_dcgan.generator:CDCGAN",
            conditioning="class",
            api=1,
            needs=Needs(least_images=1),
            paper="Radford et al. 2016 (arXiv 1511.06434); Miyato and Koyama 2018 (arXiv 1802.05637)",
        ),
        GeneratorDescription(
            name="dcgan",
            summary="DCGAN: one model per class, as in the paper",
            rank=20,
            config=DCGANConfig,
            presets={"auto": _auto, "small": _small, "paper": _paper},
            factory="genaug_dcgan.generator:DCGAN",
            conditioning="none",
            api=1,
            needs=Needs(least_images=2),
            paper="Radford et al. 2016 (arXiv 1511.06434)",
        ),
    ]
