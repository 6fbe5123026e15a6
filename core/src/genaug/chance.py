"""The only module that creates random generators: every draw is a function of (seed, purpose, index)."""

import hashlib
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = ["Noise", "seeded"]

Draw = Callable[[tuple[int, ...], torch.Generator], Tensor]


def derive(seed: int, *parts: int | str) -> int:
    """A seed in [0, 2**63): a hash (blake2b) of the run seed and of the parts that name its purpose."""
    text = "\x1f".join([str(seed), *(f"{type(part).__name__}:{part}" for part in parts)])
    digest = hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def stream(seed: int, *parts: int | str) -> torch.Generator:
    """A CPU random generator for one purpose and index, seeded by `derive`."""
    return torch.Generator("cpu").manual_seed(derive(seed, *parts))


@contextmanager
def seeded(seed: int, *parts: int | str) -> Iterator[None]:
    """Seed torch's global generators inside the block (initial weights, dropout) and restore them after it."""
    with _torch_seeded(derive(seed, *parts)):
        yield


@contextmanager
def _torch_seeded(number: int) -> Iterator[None]:
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices=devices):
        # not torch.manual_seed, which without CUDA walks the call stack each time: a millisecond per training step
        for generator in (torch.default_generator, *(torch.cuda.default_generators[device] for device in devices)):
            generator.manual_seed(number)
        yield


@contextmanager
def moved_chance(seed: int) -> Iterator[None]:
    """Seed all global generators (torch, numpy, random) inside the block and restore them; for tests of plugins."""
    with _all_seeded(derive(seed, "moved chance")):
        yield


@contextmanager
def _all_seeded(number: int) -> Iterator[None]:
    before = random.getstate(), np.random.get_state()
    with _torch_seeded(number):
        random.seed(number)
        np.random.seed(number % 2**32)
        try:
            yield
        finally:
            random.setstate(before[0])
            np.random.set_state(before[1])


def chance_states() -> list[Any]:
    """The states of all global random generators."""
    return [torch.get_rng_state(), np.random.get_state(), random.getstate()]


def same_states(first: list[Any], second: list[Any]) -> bool:
    """Whether two results of `chance_states` are equal: no global random generator was used in between."""
    numpy_same = bool((first[1][1] == second[1][1]).all()) and first[1][2] == second[1][2]
    return torch.equal(first[0], second[0]) and numpy_same and first[2] == second[2]


def permutation(count: int, seed: int, *parts: int | str) -> Tensor:
    """A random order of range(count), int64 [count]."""
    return torch.randperm(count, generator=stream(seed, *parts))


class Noise:
    """Random numbers for a batch of N images, from one stream per image or one stream for the whole batch.

    With one stream per image, the numbers of an image do not depend on the other images. Numbers are drawn on the CPU
    in float32 and then moved to `device`, so they are the same on every device.
    """

    def __init__(self, streams: Sequence[torch.Generator], count: int, device: torch.device | str = "cpu") -> None:
        if len(streams) not in (1, count):
            raise ValueError(f"expected 1 or {count} streams, got {len(streams)}")
        self._streams = list(streams)
        self._count = count
        self._device = torch.device(device)

    @classmethod
    def per_image(cls, seed: int, purpose: str, indices: Sequence[tuple[int | str, ...]]) -> "Noise":
        """One stream per image; the stream of image i is a function of (seed, purpose, indices[i])."""
        return cls([stream(seed, purpose, *index) for index in indices], len(indices))

    @classmethod
    def per_batch(cls, seed: int, purpose: str, index: int, count: int, device: torch.device | str = "cpu") -> "Noise":
        """One stream for a batch of `count` images, a function of (seed, purpose, index); for training steps."""
        return cls([stream(seed, purpose, index)], count, device)

    def __len__(self) -> int:
        return self._count

    @property
    def device(self) -> torch.device:
        """The device of the drawn numbers."""
        return self._device

    @property
    def streams(self) -> list[torch.Generator]:
        """The random generators: one per image, or one for the whole batch."""
        return list(self._streams)

    @property
    def generators(self) -> list[torch.Generator]:
        """The random generators, one per image, as diffusers' schedulers expect; ValueError for one per batch."""
        if len(self._streams) != self._count:
            raise ValueError("generators need one stream per image, this noise has one for the whole batch")
        return list(self._streams)

    def rows(self, rows: Sequence[int]) -> "Noise":
        """The noise of some images, in the given order; needs one stream per image, otherwise ValueError."""
        if len(self._streams) != self._count:
            raise ValueError("rows need one stream per image, this noise has one for the whole batch")
        return Noise([self._streams[row] for row in rows], len(rows), self._device)

    def each(self) -> Iterator["Noise"]:
        """The noise of one image after another; needs one stream per image, otherwise ValueError."""
        return (self.rows([row]) for row in range(self._count))

    @contextmanager
    def seeding(self) -> Iterator[None]:
        """Seed the global generators of torch, numpy and random from this noise inside the block, then restore them.

        For a library that takes no random generator. Each block draws one number from the stream, so a second block
        has other random numbers. Raises ValueError for several streams: seed for each image (`each`), since numbers of
        one global generator would depend on the other images of the batch.
        """
        if len(self._streams) != 1:
            raise ValueError(f"seeding needs one stream, this noise has {len(self._streams)}; use each()")
        with _all_seeded(int(torch.randint(2**63 - 1, (), generator=self._streams[0]))):
            yield

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers, float32 [N, *shape]."""
        return self._draw(lambda size, source: torch.randn(size, generator=source), shape)

    def uniform(self, *shape: int) -> Tensor:
        """Uniform numbers in [0, 1), float32 [N, *shape]."""
        return self._draw(lambda size, source: torch.rand(size, generator=source), shape)

    def integers(self, high: int, *shape: int) -> Tensor:
        """Uniform integers in [0, high), int64 [N, *shape]."""
        return self._draw(lambda size, source: torch.randint(high, size, generator=source), shape)

    def _draw(self, draw: Draw, shape: tuple[int, ...]) -> Tensor:
        if len(self._streams) == 1:
            return draw((self._count, *shape), self._streams[0]).to(self._device)
        return torch.stack([draw(shape, source) for source in self._streams]).to(self._device)


def global_noise(count: int, device: torch.device | str = "cpu") -> Noise:
    """Random numbers for a batch that follow torch's global generator, for parts of a user's own training script."""
    return Noise.per_batch(int(torch.randint(2**62, ())), "global", 0, count, device)
