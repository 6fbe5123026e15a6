"""Settings of both generators."""

from typing import Literal, Self

from genaug.config import option
from genaug.layers.settings import TwoNetworksConfig
from pydantic import model_validator


class DDPMConfig(TwoNetworksConfig):
    """Settings of ddpm and cddpm; the presets say which belong together."""

    width: int = option(
        48,
        "Channels of the compact network at its largest maps; multiples of 8.",
        unit="channels",
        ge=8,
        le=512,
        multiple_of=8,
    )
    patch: Literal[1, 2, 4] = option(
        2, "Side of the squares of pixels that the compact network takes as one; larger is faster.", unit="pixels"
    )
    timesteps: int = option(1000, "Noise levels of the training.", unit="steps", ge=10, le=10_000)
    noise_schedule: Literal["linear", "cosine"] = option("cosine", "How fast the noise rises over the time steps.")
    prediction: Literal["noise", "velocity", "sample"] = option(
        "velocity", "What the network predicts; sample is the clean image, which large patches need."
    )
    min_snr: float = option(
        5.0, "Largest signal-to-noise ratio that a time step's loss counts with; 0 for no weighting.", ge=0.0, le=1e6
    )
    colour_histogram: float = option(
        0.0, "Weight of the distance between colour histograms of real and denoised images.", ge=0.0, le=1000.0
    )
    learning_rate: float = option(1e-3, "Learning rate (AdamW).", gt=0.0, le=1.0)
    sampler: Literal["sde-dpm-solver++", "dpm-solver++", "ddim", "ancestral"] = option(
        "sde-dpm-solver++",
        "How images are drawn: with fresh noise on the way (sde-dpm-solver++, ancestral) or without.",
    )
    sampling_steps: int = option(
        20,
        "Steps from noise to image; never more than time steps, and fewer with a strength below 1; "
        "the ancestral sampler wants as many as time steps.",
        unit="steps",
        ge=1,
        le=10_000,
    )
    strength: float = option(
        1.0,
        "How far a real image is noised before it is denoised as the wanted class, in whole sampling steps; "
        "1 starts from noise alone.",
        unit="share",
        gt=0.0,
        le=1.0,
    )

    @model_validator(mode="after")
    def _strength_needs_two_steps(self) -> Self:
        if self.strength < 1 and self.sampling_steps == 1:
            raise ValueError(
                "a strength below 1 leaves out sampling steps, got one step; set sampling_steps to 2 or more"
            )
        return self

    @model_validator(mode="after")
    def _ddim_takes_equal_steps(self) -> Self:
        steps = min(self.sampling_steps, self.timesteps)
        if self.sampler == "ddim" and self.timesteps % steps:
            fitting = max(count for count in range(1, steps) if not self.timesteps % count)
            raise ValueError(
                f"the ddim sampler takes steps of one length, and {self.timesteps} time steps are no multiple of "
                f"{steps}; set sampling_steps to {fitting}, or take another sampler"
            )
        return self


class CDDPMConfig(DDPMConfig):
    """Settings of cddpm: those of ddpm, and how strongly the class steers."""

    guidance_scale: float = option(
        2.0,
        "Classifier-free guidance: how far to go from the prediction without a class to that with it; 1 for none.",
        ge=1.0,
        le=20.0,
    )
    dropped: float = option(
        0.1, "Share of training images whose class is hidden, which guidance needs.", unit="share", ge=0.0, lt=1.0
    )
    borrowed: float = option(
        0.0,
        "With a strength below 1, share of images that start from a real image of any class.",
        unit="share",
        ge=0.0,
        le=1.0,
    )

    def borrows(self) -> bool:
        """Where images begin from real ones, and some from any class."""
        return self.strength < 1 and self.borrowed > 0

    @model_validator(mode="after")
    def _guidance_knows_no_class(self) -> Self:
        if self.guidance_scale > 1 and not self.dropped:
            raise ValueError(
                f"a guidance_scale of {self.guidance_scale} needs images whose class is hidden, got dropped 0; "
                "set guidance_scale to 1, or dropped to 0.1"
            )
        return self
