"""A generator that trains in milliseconds, and equality of weights."""

from collections.abc import Iterator

import torch
from genaug.chance import Noise
from genaug.config import GeneratorConfig
from genaug.generator import Batch, Drawn, Generator
from genaug.hookspecs import GeneratorDescription
from torch import Tensor, nn

TINY = GeneratorDescription(
    name="tiny", summary="", rank=1, config=GeneratorConfig, presets={}, factory="", conditioning="class", api=1
)


class TinyGAN(Generator[GeneratorConfig]):
    """Two linear networks; dropout makes them depend on torch's global random state."""

    averaged = frozenset({"generator"})

    def build(self) -> dict[str, nn.Module]:
        pixels = self.spec.channels * self.spec.height * self.spec.width
        generator = nn.Sequential(nn.Linear(8, pixels), nn.Dropout(0.1), nn.Tanh())
        return {"generator": generator, "discriminator": nn.Linear(pixels, 1)}

    def losses(self, batch: Batch) -> Iterator[tuple[str, Tensor]]:
        judge = self.networks["discriminator"]
        fake = self.networks["generator"](batch.noise.normal(8))
        yield "discriminator", judge(fake.detach()).mean() - judge(batch.images.flatten(1)).mean()
        yield "generator", -judge(fake).mean()

    def sample(self, labels: Tensor, noise: Noise) -> Drawn:
        shape = (len(labels), self.spec.channels, self.spec.height, self.spec.width)
        return Drawn.without_parents(self.networks["generator"](noise.normal(8)).reshape(shape))


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    """Whether two sets of weights are bitwise equal."""
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
