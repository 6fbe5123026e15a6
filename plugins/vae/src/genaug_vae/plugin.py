"""Description of vae with its presets; does not import torch."""

from collections.abc import Sequence
from typing import Any

from genaug.config import Preset, TrainConfig
from genaug.hookspecs import GeneratorDescription, Needs, hookimpl
from genaug.layers.settings import bounded_steps
from genaug.spec import ImageSpec

from genaug_vae.config import PAPER, VAEConfig

# of one class there are too few images for Muon: after 250 steps 15 % of the images were copies in classifier features
_ADAM: dict[str, Any] = {"optimizer": "adam", "learning_rate": 1e-3}


def _paper(_spec: ImageSpec, _device: str) -> Preset:
    """The settings of the paper (docs/paper.md). It does not give the batch size, so 32 is our choice."""
    return Preset(model=VAEConfig(**PAPER), train=TrainConfig(epochs=10_000, batch_size=32))


def _small(_spec: ImageSpec, _device: str) -> Preset:
    return Preset(model=VAEConfig(latent=32, width=16, **_ADAM), train=_train(300))


def _auto(spec: ImageSpec, device: str) -> Preset:
    width = 32 if device == "cpu" else 64
    return Preset(model=VAEConfig(width=width, **_ADAM), train=_train(bounded_steps(spec, device, 800)))


def _train(steps: int) -> TrainConfig:
    return TrainConfig(steps=steps, batch_size=16, average_decay=0.99, schedule="cosine")


@hookimpl
def genaug_generators() -> Sequence[GeneratorDescription]:
    """The generator of this package."""
    return [
        GeneratorDescription(
            name="vae",
            summary="Variational autoencoder: one model per class, as in the paper",
            rank=40,
            config=VAEConfig,
            presets={"auto": _auto, "small": _small, "paper": _paper},
            factory="genaug_vae.generator:VAE",
            conditioning="none",
            api=1,
            needs=Needs(least_images=2),
            paper="Kingma and Welling 2014 (arXiv 1312.6114)",
        )
    ]
