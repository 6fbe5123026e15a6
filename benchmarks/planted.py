"""A plugin with generators of known effect: they draw real scans of digits that the studied folder does not have."""

import gc
from functools import lru_cache

import numpy as np
import torch
from genaug.config import GeneratorConfig, Preset, TrainConfig
from genaug.generator import Drawn, Generator
from genaug.hookspecs import GeneratorDescription, hookimpl

DIGITS = range(10)
EACH = 16  # scans of each digit that belong to the folder; the generators draw from the others
NOISE = 200.0  # standard deviation in grey levels, so large that a few scans are not enough to learn a digit
OTHERS = 100


def scans(digit: int, seed: int = 0, *, held: bool) -> np.ndarray:
    """Scans of a digit with noise, uint8 [N, 16, 16]. held: those of the folder; otherwise up to 100 other scans."""
    from sklearn.datasets import load_digits

    found = load_digits()
    images = found.images[found.target == digit].repeat(2, axis=1).repeat(2, axis=2) * 16
    images = images[np.random.default_rng(digit).permutation(len(images))]  # neighbours in the file are by one writer
    images = images[:EACH] if held else images[EACH : EACH + OTHERS]
    noise = np.random.default_rng([digit, seed, held]).normal(0, NOISE, images.shape)
    return (images + noise).clip(0, 255).astype(np.uint8)


@lru_cache
def other_scans(digit: int) -> torch.Tensor:
    """The scans that the folder does not have, float32 [N, 1, 16, 16] in [-1, 1]."""
    return torch.from_numpy(scans(digit, held=False)).float()[:, None] / 127.5 - 1


class Perfect(Generator[GeneratorConfig]):
    """Draws new real images of the right class: these should help."""

    shift = 0

    def build(self):
        """There is no network."""
        return {}

    def losses(self, batch):
        """There is nothing to learn."""
        yield from ()

    def sample(self, labels, noise):
        """Scans that no classifier has seen."""
        digits = [DIGITS[(label + self.shift) % len(DIGITS)] for label in labels.tolist()]
        pairs = zip(digits, noise.integers(OTHERS).tolist(), strict=True)
        images = torch.stack([other_scans(digit)[index] for digit, index in pairs])
        return Drawn.without_parents(images.expand(-1, self.spec.channels, -1, -1))


class Shuffled(Perfect):
    """Draws real images of the next class: these should harm."""

    shift = 1


class Spy(Perfect):
    """Searches the memory of its process for images that are no training images, and fails if there are any."""

    def remember(self, known):
        """seen: the number of images in this process. unknown: how many of them are no training images."""
        training = {image.tobytes() for image in ((known.images + 1) * 127.5).round().to(torch.uint8).numpy()}
        objects = {id(one): one for owner in gc.get_objects() for one in gc.get_referents(owner)}
        arrays = [one for one in objects.values() if isinstance(one, np.ndarray)]
        images = [image for array in arrays if array.dtype == np.uint8 and array.ndim == 4 for image in array]
        unknown = sum(image.transpose(2, 0, 1).tobytes() not in training for image in images)
        return {"unknown": torch.tensor([unknown]), "seen": torch.tensor([len(images)])}

    def sample(self, labels, noise):
        """Raise if there were other images, or none at all, which would mean that the search does not work."""
        unknown, seen = int(self.memory["unknown"]), int(self.memory["seen"])
        if unknown or not seen:
            raise RuntimeError(f"of {seen} images in this process, {unknown} are no training images")
        return super().sample(labels, noise)


class Fails(Perfect):
    """Fails if a certain scan is among the training images, so in one of two folds."""

    def remember(self, known):
        """Raise if it is."""
        scan = torch.from_numpy(scans(DIGITS[0], held=True)[0]).float() / 127.5 - 1
        if any(torch.allclose(image[0].cpu(), scan, atol=1e-4) for image in known.images):
            raise RuntimeError("planted failure")
        return {}


def auto(_spec, _device):
    """The only preset; there is nothing to train."""
    return Preset(model=GeneratorConfig(), train=TrainConfig(steps=1))


@hookimpl
def genaug_generators():
    """All generators of this file."""
    kinds = {"perfect": "Perfect", "shuffled": "Shuffled", "spy": "Spy", "fails": "Fails"}
    return [
        GeneratorDescription(
            name=name,
            summary="Has a known effect, to test studies",
            rank=900 + number,
            config=GeneratorConfig,
            presets={"auto": auto},
            factory=f"planted:{kind}",
            conditioning="class",
            api=1,
        )
        for number, (name, kind) in enumerate(kinds.items())
    ]
