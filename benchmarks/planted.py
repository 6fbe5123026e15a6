"""A plugin whose generators are perfect, or wrong on purpose: scans of digits that no folder in question holds."""

import gc
from functools import lru_cache

import numpy as np
import torch
from genaug.config import GeneratorConfig, Preset, TrainConfig
from genaug.generator import Drawn, Generator
from genaug.registry import GeneratorDescription, hookimpl

DIGITS = range(10)
EACH = 16  # scans of each digit that a folder may hold; all others are for the generators
NOISE = 200.0  # standard deviation, in grey levels: so much that few scans do not teach a digit
FRESH = 100


def scans(digit: int, seed: int = 0, *, held: bool) -> np.ndarray:
    """Scans of a digit under noise, uint8 [N, 16, 16]: those of the folder, or as many others as there are."""
    from sklearn.datasets import load_digits

    found = load_digits()
    mine = found.images[found.target == digit].repeat(2, axis=1).repeat(2, axis=2) * 16
    mine = mine[np.random.default_rng(digit).permutation(len(mine))]  # neighbours in the file are of one writer
    mine = mine[:EACH] if held else mine[EACH : EACH + FRESH]
    noise = np.random.default_rng([digit, seed, held]).normal(0, NOISE, mine.shape)
    return (mine + noise).clip(0, 255).astype(np.uint8)


@lru_cache
def fresh(digit: int) -> torch.Tensor:
    """The other scans, float32 [N, 1, 16, 16] in [-1, 1]."""
    return torch.from_numpy(scans(digit, held=False)).float()[:, None] / 127.5 - 1


class Perfect(Generator[GeneratorConfig]):
    """Real images under another name."""

    shift = 0

    def build(self):
        """No network."""
        return {}

    def losses(self, batch):
        """Nothing to learn."""
        yield from ()

    def sample(self, labels, noise):
        """Scans that nobody has seen."""
        digits = [DIGITS[(label + self.shift) % len(DIGITS)] for label in labels.tolist()]
        pairs = zip(digits, noise.integers(FRESH).tolist(), strict=True)
        images = torch.stack([fresh(digit)[place] for digit, place in pairs])
        return Drawn.without_parents(images.expand(-1, self.spec.channels, -1, -1))


class Shuffled(Perfect):
    """Real images of another class."""

    shift = 1


class Spy(Perfect):
    """Looks for images that it should not see, anywhere in its process, and fails when there are some."""

    def remember(self, known):
        """How many images this process holds, and how many of them are none of the training images."""
        mine = {image.tobytes() for image in ((known.images + 1) * 127.5).round().to(torch.uint8).numpy()}
        held = {id(one): one for thing in gc.get_objects() for one in gc.get_referents(thing)}
        arrays = [one for one in held.values() if isinstance(one, np.ndarray)]
        images = [image for array in arrays if array.dtype == np.uint8 and array.ndim == 4 for image in array]
        strange = sum(image.transpose(2, 0, 1).tobytes() not in mine for image in images)
        return {"strange": torch.tensor([strange]), "seen": torch.tensor([len(images)])}

    def sample(self, labels, noise):
        """Raise when it saw too much, or nothing at all, which would mean that it did not look."""
        strange, seen = int(self.memory["strange"]), int(self.memory["seen"])
        if strange or not seen:
            raise RuntimeError(f"of {seen} images in this process, {strange} are none of the training images")
        return super().sample(labels, noise)


class Fussy(Perfect):
    """Fails where one certain scan is among the training images: in one of two folds."""

    def remember(self, known):
        """Raise when it is there."""
        scan = torch.from_numpy(scans(DIGITS[0], held=True)[0]).float() / 127.5 - 1
        if any(torch.allclose(image[0].cpu(), scan, atol=1e-4) for image in known.images):
            raise RuntimeError("not that scan again")
        return {}


def auto(_spec, _device):
    """There is nothing to train."""
    return Preset(model=GeneratorConfig(), train=TrainConfig(steps=1))


@hookimpl
def genaug_generators():
    """All of them."""
    kinds = {"perfect": "Perfect", "shuffled": "Shuffled", "spy": "Spy", "fussy": "Fussy"}
    return [
        GeneratorDescription(
            name=name,
            summary="Planted to try a study on",
            rank=900 + place,
            config=GeneratorConfig,
            presets={"auto": auto},
            factory=f"planted:{kind}",
            conditioning="class",
        )
        for place, (name, kind) in enumerate(kinds.items())
    ]
