"""Draw images in chunks of fixed size, so that image i depends on (run seed, generator, class, i) alone."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load, save

from genaug.chance import Noise
from genaug.executors import plugin_code
from genaug.fitting.model import load_sampler
from genaug.generator import Sampler
from genaug.images import to_uint8
from genaug.registry import load_registry
from genaug.spec import ImageSpec
from genaug.storage import make_folder, need_checked, read_checked, write_checked
from genaug.training import computing

CHUNK = 16


@dataclass(frozen=True)
class DrawTask:
    """Images to draw from one model: numbers 0 to count - 1 of each class.

    generator: name of the generator. counts: {label: number of images}. folder: where chunks of images are stored.
    """

    generator: str
    model: Path
    spec: ImageSpec
    counts: dict[int, int]
    seed: int
    device: str
    threads: int
    folder: Path


@dataclass(frozen=True)
class DrawProgress:
    """How many of the images of a task are drawn: `done` of `count`."""

    title: str
    done: int
    count: int


def draw(task: DrawTask, report: Callable[[DrawProgress], None]) -> None:
    """Draw the chunks of a task that are not in its folder yet, and write them there."""
    chunks = [(label, chunk) for label, count in task.counts.items() for chunk in chunks_of(0, count)]
    missing = [(label, chunk) for label, chunk in chunks if read_checked(_path(task.folder, label, chunk)) is None]
    if not missing:
        return
    sampler = load_sampler((task.model,), task.spec, load_registry(), task.device)
    make_folder(task.folder)
    with computing(task.threads):
        for done, (label, chunk) in enumerate(missing, start=1):
            with plugin_code(f"the generator {task.generator!r}"):
                images, parents = draw_chunk(sampler, label, chunk, seed=task.seed, name=task.generator)
            write_checked(_path(task.folder, label, chunk), save({"images": images, "parents": parents}))
            report(DrawProgress(f"drawing {task.generator}", done * CHUNK, len(missing) * CHUNK))


def draw_chunk(
    sampler: Sampler, label: int, chunk: int, *, seed: int, name: str
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images [chunk * CHUNK, (chunk + 1) * CHUNK) of a class: uint8 [CHUNK, H, W, C] and parents int64 [CHUNK, k].

    A chunk is always drawn completely, because the other images of a batch may change the last bits of an image.
    name: name of the generator, part of what the noise of each image is derived from.
    """
    noise = image_noise(seed, name, sampler.spec.classes[label], _indices(chunk))
    drawn = sampler.sample(torch.full((CHUNK,), label, dtype=torch.int64), noise)
    return to_uint8(drawn.images), drawn.parents.numpy()


def image_noise(seed: int, name: str, class_name: str, indices: Iterable[int]) -> Noise:
    """The noise of images of one generator and class, with one stream for each index."""
    return Noise.per_image(seed, "sample", [(name, class_name, index) for index in indices])


class DrawnImages:
    """The images of one class that `draw` wrote to a folder, read when they are asked for."""

    def __init__(self, folder: Path, label: int) -> None:
        self._folder, self._label = folder, label

    def chunk(self, number: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Images uint8 [CHUNK, H, W, C] from number * CHUNK on, and their parents int64 [CHUNK, k]."""
        return _read(_path(self._folder, self._label, number))

    def __getitem__(self, index: int, /) -> NDArray[np.uint8]:
        """Image `index`, uint8 [H, W, C]."""
        number, place = divmod(index, CHUNK)
        image: NDArray[np.uint8] = self.chunk(number)[0][place]
        return image


@lru_cache(maxsize=4)
def _read(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images and parents of a chunk; a path stands for all that decides them, so it always has the same content."""
    tensors = load(need_checked(path))
    return tensors["images"], tensors["parents"]


def chunks_of(first: int, count: int) -> range:
    """Numbers of the chunks that contain images first to first + count - 1."""
    return range(first // CHUNK, -(-(first + count) // CHUNK)) if count else range(0)


def _indices(chunk: int) -> range:
    return range(chunk * CHUNK, (chunk + 1) * CHUNK)


def _path(folder: Path, label: int, chunk: int) -> Path:
    return folder / f"{label:03d}-{chunk:06d}"
