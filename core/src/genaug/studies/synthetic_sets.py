"""The synthetic images of one split, generated in a process that holds nothing but that split's training images."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from genaug.config import AllowedChanges
from genaug.data.folder import LoadedFolder
from genaug.executors import Processes, Report
from genaug.registry import load_registry
from genaug.run import pipeline
from genaug.run.config import RunConfig
from genaug.run.generated import Generated
from genaug.run.generation import generate
from genaug.run.job import resolve
from genaug.run.judges import judged_probabilities
from genaug.storage import (
    make_folder,
    need_checked,
    read_checked,
    read_json,
    remove,
    stage_hash,
    write_checked,
    write_json,
)
from genaug.training import computing

FORMAT = 3
_UNFINISHED = "work"
_PROBABILITIES = "opinions"  # the name of that tensor in the files


@dataclass(frozen=True)
class SyntheticSetTask:
    """One generator, or mixture of generators, and the training images that it may use.

    loaded: those images. versions: of everything that takes part, and the kind of device. probabilities: whether the
    judges' class probabilities of the synthetic images are needed. folder: of the split, where results are kept.
    """

    loaded: LoadedFolder
    config: RunConfig
    versions: tuple[str, ...]
    probabilities: bool
    folder: Path

    @property
    def path(self) -> Path:
        """The file of the images, named by a hash of everything that decides them."""
        config = self.config.model_dump(mode="json")
        key = stage_hash([FORMAT, config, self.versions, self.loaded.train.fingerprint, self.probabilities])
        return self.folder / f"synthetic-{key}.tensors"


@dataclass(frozen=True)
class SyntheticSet:
    """The synthetic images of one split, each class in the order of candidates.

    images: uint8 [S, H, W, C]. labels: int64 [S]. scores: float32 [S] in [0, 1]. probabilities: float32 [S, K], by
    judges that never saw the source images; None where they were not needed. tops_up: bool [S], the images that bring
    the real side to the size of the largest class.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    scores: NDArray[np.float32]
    probabilities: NDArray[np.float32] | None
    tops_up: NDArray[np.bool_]

    def first(self, count: int | None) -> "SyntheticSet":
        """At most `count` images of each class, those that were drawn first; all of them for None.

        Images that top up the real side are left out.
        """
        rank = np.zeros(len(self.labels), dtype=np.int64)
        for label in np.unique(self.labels):
            rows = (self.labels == label) & ~self.tops_up
            rank[rows] = np.arange(rows.sum())
        return self._take(~self.tops_up & (rank < (len(rank) if count is None else count)))

    def topping_up(self) -> "SyntheticSet":
        """The images that top up the real side."""
        return self._take(self.tops_up)

    def _take(self, keep: NDArray[np.bool_]) -> "SyntheticSet":
        probabilities = None if self.probabilities is None else self.probabilities[keep]
        return SyntheticSet(self.images[keep], self.labels[keep], self.scores[keep], probabilities, self.tops_up[keep])


def make_synthetic_sets(splits: Sequence[Sequence[SyntheticSetTask]], workers: int, report: Report) -> None:
    """Generate the sets that are not there yet. Each split has a process that receives its training images only.

    Raises the first error.
    """
    waiting = []
    for tasks in splits:
        missing = tuple(task for task in tasks if read_checked(task.path) is None)
        if missing:
            waiting.append(missing)
        elif tasks:
            remove(tasks[0].folder / _UNFINISHED)  # a kill may have left it
    if not waiting:
        return
    for outcome in Processes(workers, fresh=True).map(make_split, waiting, report):
        if outcome.error is not None:
            raise outcome.error


def make_split(tasks: Sequence[SyntheticSetTask], report: Report) -> None:
    """Run the tasks of one split one after another; they share the classifiers that judge."""
    for task in tasks:
        make(task, report)
    remove(tasks[0].folder / _UNFINISHED)


def make(task: SyntheticSetTask, report: Report) -> None:
    """Train, draw, select, and keep the images alone; an interrupted task continues where it stopped."""
    started = time.monotonic()
    folder = make_folder(task.folder / _UNFINISHED)
    with computing(1):  # threads would change bytes, and two processes of one do more than one of two
        job = resolve(task.config, task.loaded, load_registry())
        generated = generate(job, folder / task.path.stem, folder, workers=1, report=report)
        mixed = pipeline.mix(generated)
        arrays = mixed.arrays()
        tensors: dict[str, NDArray[Any]] = {
            "images": arrays.synthetic_images,
            "labels": arrays.synthetic_labels,
            "scores": arrays.scores.astype(np.float32),
            "tops_up": arrays.tops_up,
        }
        if task.probabilities:
            tensors[_PROBABILITIES] = judged_probabilities(job, arrays, folder).numpy()
    facts = {
        "seconds": time.monotonic() - started,
        "images": int((~arrays.tops_up).sum()),
        "missing": sum(job.plan.values()) - int((~arrays.tops_up).sum()),
        "failures": mixed.failures,
        "allowed": _allowed(generated),
    }
    write_json(task.path.with_suffix(".json"), facts)
    write_checked(task.path, save(tensors))


def read_facts(task: SyntheticSetTask) -> dict[str, Any]:
    """What is known of a finished task besides its images; empty where it is not finished."""
    found = read_json(task.path.with_suffix(".json")) if task.path.exists() else None
    return found if isinstance(found, dict) else {}


def read_synthetic_set(task: SyntheticSetTask) -> SyntheticSet:
    """The images that `make` wrote."""
    tensors = load(need_checked(task.path))
    images, labels, scores, tops_up = (tensors[name] for name in ("images", "labels", "scores", "tops_up"))
    return SyntheticSet(images, labels, scores, tensors.get(_PROBABILITIES), tops_up)


def _allowed(generated: Generated) -> dict[str, Any]:
    """The changes that this split's label-safety probe allows; without a probe, the generator's settings."""
    augmentation = generated.job.shares[0].settings.preset.augmentation
    return augmentation.model_dump(mode="json", include=set(AllowedChanges.model_fields))
