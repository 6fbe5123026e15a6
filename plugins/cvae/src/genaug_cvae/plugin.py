"""Description of cvae with its presets; does not import torch."""

from collections.abc import Sequence

from genaug.config import Preset, TrainConfig
from genaug.hookspecs import GeneratorDescription, Needs, hookimpl
from genaug.layers.settings import bounded_steps
from genaug.spec import ImageSpec
from genaug_vae.config import PAPER

from genaug_cvae.config import CVAEConfig


def _paper(_spec: ImageSpec, _device: str) -> Preset:
    """The networks of the paper (docs/paper.md) with one-hot labels added to images and codes; 32 is ours."""
    return Preset(model=CVAEConfig(**PAPER), train=TrainConfig(epochs=10_000, batch_size=32))


def _small(_spec: ImageSpec, _device: str) -> Preset:
    return Preset(model=CVAEConfig(latent=32, width=16, embedding=16), train=_train(300))


def _auto(spec: ImageSpec, device: str) -> Preset:
    return Preset(
        model=CVAEConfig(width=32 if device == "cpu" else 64), train=_train(bounded_steps(spec, device, 1_000))
    )


def _train(steps: int) -> TrainConfig:
    return TrainConfig(steps=steps, batch_size=32, balanced=True, average_decay=0.995, schedule="cosine")


@hookimpl
def genaug_generators() -> Sequence[GeneratorDescription]:
    """The generator of this package."""
    return [
        GeneratorDescription(
            name="cvae",
            summary=(
                "Class-conditional variational autoencoder: one model over all classes; an image can take its "
                "background and light from another class"
            ),
            rank=30,
            config=CVAEConfig,
            presets={"auto": _auto, "small": _small, "paper": _paper},
            factory="genaug_cvae.generator:CVAE",
            conditioning="class",
            api=1,
            needs=Needs(least_images=1),
            paper="Sohn et al. 2015 (NeurIPS 28)",
        )
    ]
