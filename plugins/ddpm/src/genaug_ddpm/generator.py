"""Denoising diffusion, for one class and class-conditional, as generators of genaug."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, TypeVar

import torch
from diffusers import DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler
from genaug.chance import Noise
from genaug.generator import Batch, Drawn, Generator
from genaug.layers.memory import choose, keep_images, kept_images
from genaug.training.muon import Muon
from torch import Tensor, nn

from genaug_ddpm.config import CDDPMConfig, DDPMConfig
from genaug_ddpm.histogram import histogram_distance
from genaug_ddpm.networks import CompactNetwork, paper_network

Config = TypeVar("Config", bound=DDPMConfig)
_SCHEDULES = {"linear": "linear", "cosine": "squaredcos_cap_v2"}
_PREDICTIONS = {"noise": "epsilon", "velocity": "v_prediction", "sample": "sample"}
_ENDS = ("conv_in", "conv_out")  # of UNet2DModel
_WEIGHT_DECAY = 0.01  # of AdamW
_SOLVER = {"final_sigmas_type": "zero"}
# Below it, the cosine schedule leaves almost no signal: an error of the predicted noise would be divided by 5e-5.
_LEAST_LAMBDA = {"lambda_min_clipped": -5.1}
_SAMPLERS: dict[str, tuple[Any, dict[str, Any]]] = {
    "sde-dpm-solver++": (DPMSolverMultistepScheduler, _SOLVER | {"algorithm_type": "sde-dpmsolver++"}),
    "dpm-solver++": (DPMSolverMultistepScheduler, _SOLVER),
    "ddim": (DDIMScheduler, {"clip_sample": True, "timestep_spacing": "trailing"}),
    "ancestral": (DDPMScheduler, {"clip_sample": True}),
}


class Diffusion(Generator[Config]):
    """Base of both: one network that predicts how to remove noise, its loss, and samplers that call it repeatedly.

    classes: number of classes that the network is conditioned on, 0 for none. If there are any, the network has one
        more, number `classes`, for "no class".
    """

    averaged = frozenset({"denoiser"})
    classes = 0

    def build(self) -> dict[str, nn.Module]:
        """The network "denoiser", in the architecture that the settings name."""
        shape = (self.spec.channels, self.spec.height, self.spec.width)
        class_embeddings = self.classes and self.classes + 1
        if self.config.network == "paper":
            return {"denoiser": paper_network(shape[0], class_embeddings)}
        return {"denoiser": CompactNetwork(shape, self.config.width, self.config.patch, class_embeddings)}

    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        """Squared error of the prediction at a random time step for each image, weighted by min-SNR."""
        config, count = self.config, len(batch.images)
        times = (batch.noise.uniform() * config.timesteps).long()
        noise = batch.noise.normal(*batch.images.shape[1:])
        noisy = self._schedule.add_noise(batch.images, noise, times)
        found = self.predict(noisy, times, self._training_labels(batch.labels, batch.noise))
        errors = (found - self._target(batch.images, noise, times)).square().flatten(1).mean(dim=1)
        loss = (errors * self._weights(times)).mean()
        if config.colour_histogram:
            clean = self._clean(noisy, found, times)
            loss = loss + config.colour_histogram * histogram_distance(clean, batch.images) / count
        yield "denoiser", loss

    def optimizer(self, name: str) -> torch.optim.Optimizer:
        """AdamW; or Muon for all convolutions but the first and the last."""
        network, config = self.networks[name], self.config
        if config.optimizer == "adamw":
            return torch.optim.AdamW(network.parameters(), lr=config.learning_rate, fused=True)
        ends = [part for path, part in network.named_modules() if path.rpartition(".")[2] in _ENDS]
        rates = {"rate": config.filter_rate, "adamw_rate": config.learning_rate, "weight_decay": _WEIGHT_DECAY}
        return Muon.for_network(network, without=ends, fixed_norm=False, **rates)

    def remember(self, known: Batch) -> dict[str, Tensor]:
        """The training images, if sampling starts from them."""
        return keep_images(known) if self.config.strength < 1 else {}

    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        """Images from noise, or from training images with noise added, their parents."""
        scheduler = self._sampler()
        steps = min(self.config.sampling_steps, self._most_steps(scheduler))
        self._set_times(scheduler, steps)
        strength = self.config.strength
        left = steps if strength == 1 else min(steps - 1, max(1, round(strength * steps)))
        times = scheduler.timesteps[steps - left :]
        start = noise.normal(self.spec.channels, self.spec.height, self.spec.width)
        if strength == 1:
            return Drawn.without_parents(self._denoised(scheduler, start, times, labels, noise))
        places = choose(self.memory["labels"], self._start_labels(labels, noise), noise.uniform())
        noisy = self._schedule.add_noise(kept_images(self.memory, places), start, times[:1].expand(len(labels)))
        images = self._denoised(scheduler, noisy, times, labels, noise)
        return Drawn(images, self.memory["rows"][places].unsqueeze(1))

    def predict(self, noisy: Tensor, times: Tensor, labels: Tensor) -> Tensor:
        """The prediction of the network for noisy images [N, C, H, W] at time steps int64 [N]; float32 [N, C, H, W]."""
        condition = {"class_labels": labels} if self.classes else {}
        found = self.networks["denoiser"](noisy, times, **condition)
        prediction: Tensor = found.sample if self.config.network == "paper" else found
        return prediction.float()

    def guided(self, noisy: Tensor, times: Tensor, labels: Tensor) -> Tensor:
        """The prediction that sampling uses."""
        return self.predict(noisy, times, labels)

    def _denoised(self, scheduler: Any, images: Tensor, times: Tensor, labels: Tensor, noise: Noise) -> Tensor:
        """Noisy images at the first of these time steps to images without noise in [-1, 1]."""
        chance = noise.generators
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(len(scheduler.timesteps) - len(times))
        for time in times:
            found = self.guided(images, time.expand(len(images)).to(images.device), labels)
            images = scheduler.step(found, time, images, generator=chance).prev_sample
        return images.clamp(-1, 1)

    def _sampler(self) -> Any:
        kind, extra = _SAMPLERS[self.config.sampler]
        if kind is DPMSolverMultistepScheduler and self.config.prediction == "noise":
            extra = extra | _LEAST_LAMBDA
        return kind.from_config(self._schedule.config, **extra)

    def _set_times(self, scheduler: Any, steps: int) -> None:
        """Set time steps that begin at the highest noise level: lower ones expect some signal (Lin et al. 2024)."""
        if isinstance(scheduler, DDPMScheduler):
            levels = self.config.timesteps
            scheduler.set_timesteps(timesteps=[round(levels * left / steps) - 1 for left in range(steps, 0, -1)])
        else:
            scheduler.set_timesteps(steps)

    def _most_steps(self, scheduler: Any) -> int:
        """Most sampling steps: one per noise level, and one fewer for solvers, which need two levels in each step."""
        if not isinstance(scheduler, DPMSolverMultistepScheduler):
            return self.config.timesteps
        return int((scheduler.lambda_t >= scheduler.config.lambda_min_clipped).sum()) - 1

    @cached_property
    def _schedule(self) -> DDPMScheduler:
        return DDPMScheduler(
            num_train_timesteps=self.config.timesteps,
            beta_schedule=_SCHEDULES[self.config.noise_schedule],
            prediction_type=_PREDICTIONS[self.config.prediction],
        )

    def _weights(self, times: Tensor) -> Tensor:
        """Min-SNR weights [N] of the loss (Hang et al. 2023, arXiv 2303.09556); 1 if they are turned off.

        For prediction=sample the weight is SNR + 1, up to the bound, which equals the error of the velocity (Salimans
        and Ho 2022). With SNR alone, high noise levels are hardly learnt, and images lack shape.
        """
        if not self.config.min_snr:
            return torch.ones(len(times), device=times.device)
        kept = self._schedule.alphas_cumprod.to(times.device)[times]
        ratio = kept / (1 - kept)
        bound, kind = self.config.min_snr, self.config.prediction
        weights: Tensor = ratio.clamp(max=bound) / (ratio + (kind == "velocity"))
        return (ratio + 1).clamp(max=bound) if kind == "sample" else weights

    def _target(self, images: Tensor, noise: Tensor, times: Tensor) -> Tensor:
        """What the network should predict for images with this noise."""
        if self.config.prediction == "velocity":
            velocity: Tensor = self._schedule.get_velocity(images, noise, times)
            return velocity
        return noise if self.config.prediction == "noise" else images

    def _clean(self, noisy: Tensor, found: Tensor, times: Tensor) -> Tensor:
        """The image without noise that a prediction implies."""
        if self.config.prediction == "sample":
            return found
        kept = self._schedule.alphas_cumprod.to(times.device)[times][:, None, None, None]
        clean: Tensor = (noisy - (1 - kept).sqrt() * found) / kept.sqrt()
        return kept.sqrt() * noisy - (1 - kept).sqrt() * found if self.config.prediction == "velocity" else clean

    def _training_labels(self, labels: Tensor, noise: Noise) -> Tensor:
        """The labels that the network is given in training."""
        return labels

    def _start_labels(self, labels: Tensor, noise: Noise) -> Tensor:
        """The class of the training image that each image starts from, int64 [N]."""
        return labels


class DDPM(Diffusion[DDPMConfig]):
    """Denoising diffusion (Ho et al. 2020, arXiv 2006.11239): one model per class."""


class CDDPM(Diffusion[CDDPMConfig]):
    """One denoising diffusion model over all classes, with classifier-free guidance (Ho and Salimans 2022)."""

    @property
    def classes(self) -> int:  # type: ignore[override] # a constant 0 in the base class
        """Number of classes that the network is conditioned on."""
        return len(self.spec.classes)

    def guided(self, noisy: Tensor, times: Tensor, labels: Tensor) -> Tensor:
        """The prediction without the class, plus `guidance_scale` times its difference to the one with the class."""
        scale = self.config.guidance_scale
        if scale == 1:
            return self.predict(noisy, times, labels)
        no_class = torch.full_like(labels, self.classes)
        both = self.predict(noisy.repeat(2, 1, 1, 1), times.repeat(2), torch.cat([labels, no_class]))
        conditional, unconditional = both.chunk(2)
        return torch.lerp(unconditional, conditional, scale)

    def _training_labels(self, labels: Tensor, noise: Noise) -> Tensor:
        return torch.where(noise.uniform() < self.config.dropped, torch.full_like(labels, self.classes), labels)

    def _start_labels(self, labels: Tensor, noise: Noise) -> Tensor:
        every, chance = self.memory["labels"], noise.uniform(2)
        any_class = every[(chance[:, 1] * len(every)).long()]
        return torch.where((chance[:, 0] < self.config.borrowed) | ~torch.isin(labels, every), any_class, labels)
