"""The network, its loss, and how it draws images."""

from collections.abc import Callable, Iterator

import torch
from diffusers import UNet2DModel
from genaug.chance import Noise
from genaug.generator import Batch, Drawn, Generator
from genaug.training.muon import Muon
from torch import Tensor, nn
from torch.nn import functional as F

from genaug_flow.plugin import FlowConfig

_PATCH = 2  # pixels: patches become channels, so that the largest feature maps are half as high and wide as the images


class Velocity(nn.Module):
    """Points [N, C, H, W] between noise and images, times [N] in [0, 1] and labels int64 [N] to their velocities.

    A UNet with three levels and attention at the last, on patches of 2x2 pixels. Label `classes` stands for no class.
    """

    def __init__(self, channels: int, classes: int, width: int) -> None:
        super().__init__()
        self.body = UNet2DModel(
            in_channels=channels * _PATCH**2,
            out_channels=channels * _PATCH**2,
            layers_per_block=1,
            block_out_channels=(width, 2 * width, 2 * width),
            down_block_types=("DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
            up_block_types=("AttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
            norm_num_groups=8,
            num_class_embeds=classes + 1,
            add_attention=False,
        )

    def forward(self, points: Tensor, times: Tensor, labels: Tensor) -> Tensor:
        """The velocities, in float32."""
        found = self.body(F.pixel_unshuffle(points, _PATCH), 1000 * times, class_labels=labels).sample
        return F.pixel_shuffle(found, _PATCH).float()


def integrated(velocity: Callable[[Tensor, float], Tensor], start: Tensor, steps: int) -> Tensor:
    """Where `start` is carried from time 0 to 1 in equal steps of Heun's method; the last one is one of Euler's."""
    points, length = start, 1 / steps
    for step in range(steps):
        first = velocity(points, step / steps)
        ahead = points + length * first
        if step + 1 == steps:
            return ahead
        points = points + length / 2 * (first + velocity(ahead, (step + 1) / steps))
    return points


class Flow(Generator[FlowConfig]):
    """Rectified flow over all classes (Liu, Gong and Liu 2023, arXiv 2209.03003).

    The network learns the velocity image - noise at points on the straight line between the two. An image is drawn by
    following the velocity from noise.
    """

    averaged = frozenset({"velocity"})

    def build(self) -> dict[str, nn.Module]:
        """One network, "velocity"."""
        return {"velocity": Velocity(self.spec.channels, len(self.spec.classes), self.config.width)}

    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        """Squared error of the velocity at a random time of each image."""
        noise = batch.noise.normal(*batch.images.shape[1:])
        times = batch.noise.uniform()
        points = torch.lerp(noise, batch.images, times[:, None, None, None])
        hidden = batch.noise.uniform() < self.config.dropped
        labels = torch.where(hidden, len(self.spec.classes), batch.labels)
        found = self.networks["velocity"](points, times, labels)
        yield "velocity", (found - (batch.images - noise)).square().mean()

    def optimizer(self, name: str) -> torch.optim.Optimizer:
        """Muon for all convolutions but the first and the last, AdamW for the rest."""
        network, rates = self.networks[name], (self.config.filter_rate, self.config.learning_rate)
        ends = [part for path, part in network.named_modules() if path in ("body.conv_in", "body.conv_out")]
        return Muon.for_network(
            network, without=ends, fixed_norm=False, rate=rates[0], adamw_rate=rates[1], weight_decay=0.01
        )

    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        """Images that the velocity makes of noise; no training image is behind one of them."""
        start = noise.normal(self.spec.channels, self.spec.height, self.spec.width)
        images = integrated(lambda points, time: self.guided(points, time, labels), start, self.config.sampling_steps)
        return Drawn.without_parents(images.clamp(-1, 1))

    def guided(self, points: Tensor, time: float, labels: Tensor) -> Tensor:
        """The velocity without the class, plus `guidance_scale` times its difference to the one with the class."""
        times, network = torch.full_like(labels, time, dtype=points.dtype), self.networks["velocity"]
        with_class: Tensor = network(points, times, labels)
        if self.config.guidance_scale == 1:
            return with_class
        no_class = network(points, times, torch.full_like(labels, len(self.spec.classes)))
        return torch.lerp(no_class, with_class, self.config.guidance_scale)
