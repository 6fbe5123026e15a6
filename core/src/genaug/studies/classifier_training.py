"""How a classifier of a study is trained, in plain values: changes of images, loss, optimiser, length."""

from typing import Any, Literal, Self

from pydantic import model_validator

from genaug.config import AllowedChanges, Closed, TrainConfig, option
from genaug.studies.networks import SMALL

_BATCH = 64
_DEGREES, _HUE = 15.0, 18.0


class ImageChanges(Closed):
    """The most that each image is changed whenever it is shown; 0 switches a change off."""

    degrees: float = option(_DEGREES, "Rotation about the centre.", unit="degrees", ge=0.0, le=180.0)
    scale: float = option(0.15, "Relative change of the size.", unit="share", ge=0.0, lt=1.0)
    shift: float = option(0.15, "Shift, of height and width.", unit="share", ge=0.0, le=1.0)
    brightness: float = option(0.2, "Added to all values, which lie in [-1, 1].", ge=0.0, le=2.0)
    contrast: float = option(0.3, "Relative change of the distance from the image's mean.", ge=0.0, le=1.0)
    saturation: float = option(0.3, "Relative change of the distance from the grey of a pixel.", ge=0.0, le=1.0)
    hue: float = option(_HUE, "Turn of the colours about grey.", unit="degrees", ge=0.0, le=180.0)
    flips: tuple[Literal["horizontal", "vertical"], ...] = option((), "Flips, each of half of the images.")

    @classmethod
    def within(cls, allowed: AllowedChanges) -> Self:
        """The changes of a study's classical arms, without those that are not allowed."""
        return cls(
            degrees=_DEGREES if allowed.turns else 0.0, hue=_HUE if allowed.hue else 0.0, flips=tuple(allowed.flips)
        )

    def allowed(self) -> AllowedChanges:
        """Which kinds of changes are made at all."""
        return AllowedChanges(flips=self.flips, turns=self.degrees > 0, hue=self.hue > 0)


class OptimizerSettings(Closed):
    """The optimiser of a classifier: Muon for the filters of convolutions and AdamW for the rest, or AdamW for all."""

    name: Literal["muon", "adamw"] = option("adamw", "Optimiser.")
    rate: float = option(1e-3, "Learning rate; of Muon, that of the filters.", gt=0.0, le=10.0)
    adamw_rate: float | None = option(None, "muon: learning rate of all other parameters.", gt=0.0, le=10.0)
    weight_decay: float = option(1e-2, "Weight decay of AdamW.", ge=0.0, le=10.0)

    @model_validator(mode="after")
    def _second_rate_of_muon(self) -> Self:
        if (self.adamw_rate is not None) != (self.name == "muon"):
            raise ValueError("adamw_rate belongs to muon, which needs it")
        return self


class ClassifierTraining(Closed):
    """The training of one classifier. The learning rate rises linearly, then falls as half a cosine."""

    steps: int = option(800, "Training steps.", unit="steps", ge=1, le=1_000_000)
    batch_size: int = option(_BATCH, "Images per step.", unit="images", ge=1, le=65_536)
    warmup_steps: int = option(0, "Steps in which the learning rate rises.", unit="steps", ge=0, le=1_000_000)
    final_rate: float = option(0.0, "Learning rate at the end.", unit="share", ge=0.0, le=1.0)
    label_smoothing: float = option(0.05, "Smoothing of the targets of the cross-entropy.", ge=0.0, lt=1.0)
    optimizer: OptimizerSettings = option(OptimizerSettings(), "Optimiser and its learning rates.")
    augmentation: ImageChanges | None = option(None, "Changes of each image in each step; none if left out.")

    def loop(self) -> TrainConfig:
        """The settings of the training loop."""
        return TrainConfig(
            steps=self.steps,
            batch_size=self.batch_size,
            schedule="cosine",
            warmup_steps=self.warmup_steps,
            final_rate=self.final_rate,
        )


def study_training(
    network: str, steps: int, batch: int, allowed: AllowedChanges | None, *, frozen: bool = False
) -> ClassifierTraining:
    """The training of a study's classifiers, the same for all arms but for the changes of images.

    network: its name. batch: images per step. allowed: the changes that an arm may make; None for none. frozen: whether
    only a linear layer is trained.
    """
    return ClassifierTraining(
        steps=steps,
        batch_size=batch,
        augmentation=None if allowed is None else ImageChanges.within(allowed),
        **_of_network(network, steps, frozen=frozen),
    )


def _of_network(network: str, steps: int, *, frozen: bool) -> dict[str, Any]:
    """The settings in which networks differ."""
    if frozen:
        return {"optimizer": OptimizerSettings(rate=1e-3, weight_decay=0.1)}
    if network != SMALL:
        return {"warmup_steps": min(20, steps - 1)}
    return {
        "warmup_steps": min(round(0.3 * steps), steps - 1),
        "final_rate": 0.02,
        "optimizer": OptimizerSettings(name="muon", rate=0.05, adamw_rate=4e-3, weight_decay=0.05),
    }


def batch_size(real: int) -> int:
    """Images per step, the same for all arms: even, since blends are of pairs, and never more than the real images."""
    return max(2, min(_BATCH, real) // 2 * 2)
