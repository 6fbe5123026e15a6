"""Descriptions of ddpm and cddpm with their presets; does not import torch."""

from collections.abc import Sequence
from typing import Any

from genaug.config import AugmentationConfig, Preset, TrainConfig
from genaug.hookspecs import GeneratorDescription, Needs, hookimpl
from genaug.layers.settings import bounded_steps
from genaug.spec import ImageSpec

from genaug_ddpm.config import CDDPMConfig, DDPMConfig

_MANY = 2_000


def _paper(_spec: ImageSpec, device: str) -> Preset:
    return _paper_settings(device, DDPMConfig)


def _conditional_paper(_spec: ImageSpec, device: str) -> Preset:
    return _paper_settings(device, CDDPMConfig)


def _paper_settings(device: str, config: type[DDPMConfig]) -> Preset:
    """The settings of the paper (docs/paper.md). It does not give the batch size, so 16 is our choice.

    Its "images x epochs total steps" of the schedule are read as 500 epochs of such batches. fp16 is used on CUDA only.
    """
    model = config(
        network="paper",
        noise_schedule="linear",
        prediction="noise",
        min_snr=0.0,
        optimizer="adamw",
        learning_rate=1e-4,
        sampler="ancestral",
        sampling_steps=1000,
    )
    precision = "fp16" if device == "cuda" else "auto"
    train = TrainConfig(epochs=500, batch_size=16, schedule="cosine", warmup_steps=500, precision=precision)
    return Preset(model=model, train=train, augmentation=AugmentationConfig(pipeline="paper", enlargement=3))


def _small(spec: ImageSpec, _device: str) -> Preset:
    return Preset(model=DDPMConfig(width=16, **_by_size(spec)), train=_train(300, 16))


def _conditional_small(spec: ImageSpec, _device: str) -> Preset:
    return Preset(model=CDDPMConfig(width=16, **_by_size(spec)), train=_train(300, 16))


def _auto(spec: ImageSpec, device: str) -> Preset:
    """A model over all classes, then one per class that starts from it, since one class has too few images alone.

    For ten classes, training shows as many images in total as that of cddpm.
    """
    pooled, own = (bounded_steps(spec, device, steps) for steps in (400, 100))
    one_class = len(spec.classes) == 1
    train = _train(pooled + own if one_class else pooled, 16)
    return Preset(
        model=DDPMConfig(width=_width(sum(spec.counts), device), **_by_size(spec)),
        train=train.model_copy(update={"specialise_steps": 0 if one_class else own}),
    )


def _conditional_auto(spec: ImageSpec, device: str) -> Preset:
    return Preset(
        model=CDDPMConfig(width=_width(sum(spec.counts), device), **_by_size(spec)),
        train=_train(bounded_steps(spec, device, 700), 32),
    )


def _train(steps: int, batch_size: int) -> TrainConfig:
    return TrainConfig(
        steps=steps,
        batch_size=batch_size,
        balanced=True,
        schedule="cosine",
        warmup_steps=min(100, steps // 10),
        clip_norm=1.0,
        average_decay=0.995,
    )


def _width(images: int, device: str) -> int:
    """Width of the network by the number of training images. Measured only on a CPU and up to 2,000 images."""
    few, many = (48, 64) if device == "cpu" else (64, 96)
    return few if images <= _MANY else many


def _by_size(spec: ImageSpec) -> dict[str, Any]:
    """Patches for which the first feature maps are about 16 pixels wide, and a prediction that works with them.

    The noise of a patch of 4x4 colour pixels is 48 independent numbers, too many for a network of 48 channels: at 64
    pixels, its images were still noise after 2,000 steps. A network that predicts the image without noise, whose pixels
    depend on each other, showed signs after 500 (Li and He 2025, arXiv 2511.13720, find the same).
    """
    side = min(spec.height, spec.width)
    if side < 64:
        return {"patch": 1 if side < 32 else 2}
    return {"patch": 4, "prediction": "sample"}


@hookimpl
def genaug_generators() -> Sequence[GeneratorDescription]:
    """The two generators of this package."""
    return [
        GeneratorDescription(
            name="cddpm",
            summary="Class-conditional denoising diffusion: one model over all classes, with guidance",
            rank=50,
            config=CDDPMConfig,
            presets={"auto": _conditional_auto, "small": _conditional_small, "paper": _conditional_paper},
            factory="genaug_ddpm.generator:CDDPM",
            conditioning="class",
            api=1,
            paper="Ho et al. 2020 (arXiv 2006.11239); Ho and Salimans 2022 (arXiv 2207.12598)",
        ),
        GeneratorDescription(
            name="ddpm",
            summary=(
                "Denoising diffusion: one model per class; by default each model starts from one trained on all classes"
            ),
            rank=60,
            config=DDPMConfig,
            presets={"auto": _auto, "small": _small, "paper": _paper},
            factory="genaug_ddpm.generator:DDPM",
            conditioning="none",
            api=1,
            needs=Needs(least_images=2),
            paper="Ho et al. 2020 (arXiv 2006.11239)",
        ),
    ]
