"""Small real things that many tests of core use."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from genaug.chance import Noise
from genaug.config import GeneratorConfig
from genaug.data.split import TrainSplit
from genaug.generator import Batch, Drawn, Generator
from genaug.spec import ImageSpec
from torch import Tensor, nn


class TinyGAN(Generator[GeneratorConfig]):
    """Two linear networks that train in milliseconds, with dropout, so that torch's global chance matters."""

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


@pytest.fixture
def split() -> TrainSplit:
    """Eight random grey images of two classes, five and three."""
    images = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 1), dtype=np.uint8)
    labels = np.array([0] * 5 + [1] * 3, dtype=np.int64)
    spec = ImageSpec(1, 16, 16, ("a", "b"), (5, 3))
    return TrainSplit.ordered(spec, images, labels, list("abcdefgh"), list("abcdefgh"))


@pytest.fixture
def tiny(split: TrainSplit) -> Callable[[], TinyGAN]:
    """Fresh tiny GANs for that split."""
    return lambda: TinyGAN(split.spec, GeneratorConfig())


@pytest.fixture
def weights() -> Callable[[Generator], dict[str, Tensor]]:
    """All weights of a trained generator by name."""
    return lambda model: {
        f"{name}.{key}": value.clone()
        for name, network in model.networks.items()
        for key, value in network.state_dict().items()
    }


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    """Bitwise equality of two sets of weights."""
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture
def image_folder(tmp_path: Path) -> Path:
    """A folder of three classes of random 20x20 images: six, four, three; and a test split of two each."""
    from PIL import Image

    chance = np.random.default_rng(1)
    for where, counts in (("train", (6, 4, 3)), ("test", (2, 2, 2))):
        for name, count in zip(("cat", "dog", "owl"), counts, strict=True):
            folder = tmp_path / "data" / where / name
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = chance.integers(0, 256, (20, 20, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.png")
    return tmp_path / "data"
