"""Settings of ddpm and cddpm."""

from typing import Literal, Self

from genaug.config import option
from genaug.layers.settings import TwoNetworksConfig
from pydantic import model_validator


class DDPMConfig(TwoNetworksConfig):
    """Settings of ddpm and, with more of its own, of cddpm; the presets hold combinations that work."""

    width: int = option(
        48,
        "Channels of the compact network at its largest maps; multiples of 8.",
        unit="channels",
        ge=8,
        le=512,
        multiple_of=8,
    )
    patch: Literal[1, 2, 4] = option(
        2,
        "Height and width of the patches of pixels that the compact network works on; larger is faster.",
        unit="pixels",
    )
    timesteps: int = option(1000, "Number of noise levels in training.", unit="steps", ge=10, le=10_000)
    noise_schedule: Literal["linear", "cosine"] = option("cosine", "How the noise increases over the time steps.")
    prediction: Literal["noise", "velocity", "sample"] = option(
        "velocity", "What the network predicts; sample is the image without noise, which patches of 4 pixels need."
    )
    min_snr: float = option(
        5.0,
        "Upper bound of the signal-to-noise ratio that weights the loss of a time step; 0 for no weighting.",
        ge=0.0,
        le=1e6,
    )
    colour_histogram: float = option(
        0.0, "Weight of the distance between colour histograms of real and denoised images.", ge=0.0, le=1000.0
    )
    optimizer: Literal["muon", "adamw"] = option(
        "muon", "Muon for convolutions and AdamW for the rest, or AdamW for all; with Muon fewer steps are enough."
    )
    learning_rate: float = option(2e-3, "Learning rate of AdamW.", gt=0.0, le=1.0)
    filter_rate: float = option(0.02, "Learning rate of Muon.", gt=0.0, le=1.0)
    sampler: Literal["sde-dpm-solver++", "dpm-solver++", "ddim", "ancestral"] = option(
        "sde-dpm-solver++",
        "How images are drawn: with new noise in each step (sde-dpm-solver++, ancestral) or without.",
    )
    sampling_steps: int = option(
        16,
        "Steps from noise to image, at most as many as time steps; a strength below 1 leaves out the first ones. "
        "The ancestral sampler needs about as many as time steps.",
        unit="steps",
        ge=1,
        le=10_000,
    )
    strength: float = option(
        1.0,
        "Amount of noise added to a training image before it is denoised as the requested class, rounded to sampling "
        "steps; 1 starts from noise alone.",
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
                f"the ddim sampler needs steps of equal length, and {self.timesteps} time steps are no multiple of "
                f"{steps}; set sampling_steps to {fitting}, or use another sampler"
            )
        return self


class CDDPMConfig(DDPMConfig):
    """Settings of cddpm: those of ddpm, and how strongly images follow their class."""

    guidance_scale: float = option(
        2.0,
        "Classifier-free guidance: weight of the difference that the class makes to the prediction; 1 for no guidance.",
        ge=1.0,
        le=20.0,
    )
    dropped: float = option(
        0.1, "Share of training images shown without their class, which guidance needs.", unit="share", ge=0.0, lt=1.0
    )
    borrowed: float = option(
        0.0,
        "With a strength below 1, share of images that start from a training image of any class.",
        unit="share",
        ge=0.0,
        le=1.0,
    )

    def borrows(self) -> bool:
        """Whether images of a class start from training images of others."""
        return self.strength < 1 and self.borrowed > 0

    @model_validator(mode="after")
    def _guidance_needs_images_without_class(self) -> Self:
        if self.guidance_scale > 1 and not self.dropped:
            raise ValueError(
                f"a guidance_scale of {self.guidance_scale} needs images whose class is hidden, got dropped 0; "
                "set guidance_scale to 1, or dropped to 0.1"
            )
        return self
