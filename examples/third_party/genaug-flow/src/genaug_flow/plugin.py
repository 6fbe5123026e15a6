"""Description of flow with its settings and presets; does not import torch."""

from collections.abc import Sequence

from genaug.config import GeneratorConfig, Preset, TrainConfig, option
from genaug.hookspecs import GeneratorDescription, hookimpl
from genaug.spec import ImageSpec


class FlowConfig(GeneratorConfig):
    """Settings of the rectified flow."""

    width: int = option(
        48, "Channels of the network at its largest maps.", unit="channels", ge=8, le=512, multiple_of=8
    )
    learning_rate: float = option(2e-3, "Learning rate of AdamW.", gt=0.0, le=1.0)
    filter_rate: float = option(0.02, "Learning rate of Muon, which trains the convolutions.", gt=0.0, le=1.0)
    dropped: float = option(
        0.1, "Share of training images whose class is hidden from the network, for guidance.", ge=0.0, lt=1.0
    )
    guidance_scale: float = option(
        1.5, "How strongly images follow their class; 1 is no guidance, which takes half the time.", ge=1.0, le=20.0
    )
    sampling_steps: int = option(8, "Steps from noise to image.", unit="steps", ge=1, le=1000)


def _auto(_spec: ImageSpec, device: str) -> Preset:
    return Preset(model=FlowConfig(), train=_train(700 if device == "cpu" else 2_000, 32))


def _small(_spec: ImageSpec, _device: str) -> Preset:
    return Preset(model=FlowConfig(width=16), train=_train(300, 16))


def _train(steps: int, batch_size: int) -> TrainConfig:
    return TrainConfig(
        steps=steps,
        batch_size=batch_size,
        balanced=True,
        schedule="cosine",
        warmup_steps=steps // 10,
        clip_norm=1.0,
        average_decay=0.99,
    )


@hookimpl
def genaug_generators() -> Sequence[GeneratorDescription]:
    """The generator of this package."""
    return [
        GeneratorDescription(
            name="flow",
            summary="Class-conditional rectified flow: one model over all classes that draws in few steps",
            rank=500,
            config=FlowConfig,
            presets={"auto": _auto, "small": _small},
            factory="genaug_flow.generator:Flow",
            conditioning="class",
            paper="Liu, Gong and Liu 2023 (arXiv 2209.03003)",
            api=1,
        )
    ]
