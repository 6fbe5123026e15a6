"""Synthetic images of one split: made in a process that holds nothing but that split's training images."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save

from genaug import pipeline
from genaug.config import AllowedChanges, RunConfig
from genaug.data.folder import LoadedFolder
from genaug.executors import Processes, Report
from genaug.generation import Generated, generate, judges_of
from genaug.job import resolve
from genaug.mixing.fold import overall_score
from genaug.mixing.mixed import Mixed
from genaug.registry import load_registry
from genaug.storage import make_folder, read_json, remove, stage_hash, write_bytes, write_json
from genaug.training import using_threads

FORMAT = 1
_ROOM = "work"


@dataclass(frozen=True)
class Making:
    """One generator, or mixture, and the images that it may see.

    versions: of all that takes part, and the kind of device. folder: of the split, where all of it is kept.
    """

    loaded: LoadedFolder
    config: RunConfig
    versions: tuple[str, ...]
    opinions: bool
    folder: Path

    @property
    def path(self) -> Path:
        """Where the images come to lie: named by all that decides them."""
        wishes = self.config.model_dump(mode="json")
        key = stage_hash([FORMAT, wishes, self.versions, self.loaded.train.fingerprint, self.opinions])
        return self.folder / f"synthetic-{key}.safetensors"


@dataclass(frozen=True)
class Made:
    """Synthetic images of one split, each class in the order of candidates.

    images: uint8 [S, H, W, C]. labels: int64 [S]. scores: float32 [S] in [0, 1]. opinions: float32 [S, K], of
    classifiers that never saw the stems, None where nobody asked.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    scores: NDArray[np.float32]
    opinions: NDArray[np.float32] | None

    def first(self, count: int | None) -> "Made":
        """At most so many of each class, those that were drawn first."""
        if count is None:
            return self
        place = np.zeros(len(self.labels), dtype=np.int64)
        for label in np.unique(self.labels):
            mine = self.labels == label
            place[mine] = np.arange(mine.sum())
        keep = place < count
        opinions = None if self.opinions is None else self.opinions[keep]
        return replace(
            self, images=self.images[keep], labels=self.labels[keep], scores=self.scores[keep], opinions=opinions
        )


def make_all(splits: Sequence[Sequence[Making]], workers: int, report: Report) -> None:
    """Make what is not there yet, each split in a process that is given what may be seen of it, and nothing else.

    Raises the first error.
    """
    waiting = [tuple(task for task in tasks if not task.path.exists()) for tasks in splits]
    waiting = [tasks for tasks in waiting if tasks]
    if not waiting:
        return
    for outcome in Processes(workers).map(make_split, waiting, report):
        if outcome.error is not None:
            raise outcome.error


def make_split(tasks: Sequence[Making], report: Report) -> None:
    """One generator after another: they share the classifiers that judge."""
    for task in tasks:
        make(task, report)
    remove(tasks[0].folder / _ROOM)


def make(task: Making, report: Report) -> None:
    """Train, draw, select, and keep the images alone; a broken-off one goes on where it was."""
    started = time.monotonic()
    room = make_folder(task.folder / _ROOM)
    with using_threads(1):  # threads would change bytes, and two processes of one do more than one of two
        job = resolve(task.config, task.loaded, load_registry())
        generated = generate(job, room / task.path.stem, room, workers=1, report=report)
        mixed = pipeline.mix(generated)
        tensors = _tensors(mixed)
        if task.opinions:
            tensors["opinions"] = _opinions(generated, mixed, room)
    facts = {
        "seconds": time.monotonic() - started,
        "images": len(mixed.synthetic),
        "missing": sum(job.plan.values()) - len(mixed.synthetic),
        "failures": mixed.failures,
        "allowed": _allowed(generated),
    }
    write_json(task.path.with_suffix(".json"), facts)
    write_bytes(task.path, save(tensors))


def read_facts(task: Making) -> dict[str, Any]:
    """What is known of a making besides its images; empty when it is not done."""
    found = read_json(task.path.with_suffix(".json")) if task.path.exists() else None
    return found if isinstance(found, dict) else {}


def read_made(task: Making) -> Made:
    """What `make` wrote."""
    tensors = load_file(task.path)
    return Made(tensors["images"], tensors["labels"], tensors["scores"], tensors.get("opinions"))


def _tensors(mixed: Mixed) -> dict[str, NDArray[Any]]:
    train, made = mixed.loaded.train, mixed.synthetic
    shape = (0, *train.images.shape[1:])
    return {
        "images": np.stack([image.pixels for image in made]) if made else np.empty(shape, np.uint8),
        "labels": np.array([train.spec.classes.index(image.label) for image in made], dtype=np.int64),
        "scores": np.array([overall_score(image.scores) for image in made], dtype=np.float32),
    }


def _opinions(generated: Generated, mixed: Mixed, room: Path) -> NDArray[np.float32]:
    train = mixed.loaded.train
    rows = {name: row for row, name in enumerate(train.names)}
    stems = torch.tensor([rows[image.stem] for image in mixed.synthetic], dtype=torch.int64)
    images = _tensors(mixed)["images"]
    found: NDArray[np.float32] = judges_of(generated.job, room).probabilities(images, stems).numpy()
    return found


def _allowed(generated: Generated) -> dict[str, Any]:
    """What the label-safety probe of this split allows; without one, what variants do by themselves."""
    augmentation = generated.job.shares[0].settings.preset.augmentation
    return augmentation.model_dump(mode="json", include=set(AllowedChanges.model_fields))
