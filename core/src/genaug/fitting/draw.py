"""Drawing in canonical chunks: image i is a function of (run seed, generator, class, i), however many are wanted."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from genaug.chance import Noise
from genaug.fitting.model import load_sampler
from genaug.generator import Sampler
from genaug.images import to_uint8
from genaug.registry import load_registry
from genaug.spec import ImageSpec
from genaug.storage import make_folder, write_bytes
from genaug.training import using_threads

CHUNK = 16


@dataclass(frozen=True)
class DrawTask:
    """Images [0, count) of some classes from one generator's models; `counts` by label. `folder` holds the chunks."""

    generator: str
    models: tuple[Path, ...]
    spec: ImageSpec
    counts: dict[int, int]
    first: int
    seed: int
    device: str
    threads: int
    folder: Path


@dataclass(frozen=True)
class DrawProgress:
    """Images drawn so far, of all in this task."""

    title: str
    done: int
    count: int


def draw(task: DrawTask, report: Callable[[DrawProgress], None]) -> None:
    """Write the chunks that are not there yet."""
    wanted = [(label, chunk) for label, count in task.counts.items() for chunk in chunks_of(task.first, count)]
    missing = [(label, chunk) for label, chunk in wanted if not _whole(_path(task, label, chunk))]
    if not missing:
        return
    sampler = load_sampler(task.models, task.spec, load_registry(), task.device)
    make_folder(task.folder)
    with using_threads(task.threads):
        for done, (label, chunk) in enumerate(missing, start=1):
            images, parents = draw_chunk(sampler, label, chunk, seed=task.seed, name=task.generator)
            write_bytes(_path(task, label, chunk), save({"images": images, "parents": parents}))
            report(DrawProgress(f"drawing {task.generator}", done * CHUNK, len(missing) * CHUNK))


def draw_chunk(
    sampler: Sampler, label: int, chunk: int, *, seed: int, name: str
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images [chunk * CHUNK, (chunk + 1) * CHUNK) of a class: uint8 [CHUNK, H, W, C] and parents int64 [CHUNK, k].

    The chunk is always drawn whole, because neighbours in the batch may change the last bits of an image.
    """
    scope = sampler.spec.classes[label]
    noise = Noise.per_image(seed, "sample", [(name, scope, index) for index in _members(chunk)])
    drawn = sampler.sample(torch.full((CHUNK,), label, dtype=torch.int64), noise)
    return to_uint8(drawn.images), drawn.parents.numpy()


def chunk_images(task: DrawTask, label: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The wanted images of one class from the chunks on the disk: uint8 [n, H, W, C], parents int64 [n, k]."""
    parts = [load_file(_path(task, label, chunk)) for chunk in chunks_of(task.first, task.counts[label])]
    start = task.first % CHUNK
    keep = slice(start, start + task.counts[label])
    images = np.concatenate([part["images"] for part in parts])[keep]
    return images, np.concatenate([part["parents"] for part in parts])[keep]


def chunks_of(first: int, count: int) -> range:
    """Numbers of the chunks that hold images [first, first + count)."""
    return range(first // CHUNK, -(-(first + count) // CHUNK)) if count else range(0)


def _members(chunk: int) -> range:
    return range(chunk * CHUNK, (chunk + 1) * CHUNK)


def _path(task: DrawTask, label: int, chunk: int) -> Path:
    return task.folder / f"{label:03d}-{chunk:06d}.safetensors"


def _whole(path: Path) -> bool:
    try:
        load_file(path)
    except (FileNotFoundError, SafetensorError):
        return False
    return True
