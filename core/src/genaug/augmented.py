"""The result of augment(): real and synthetic images as data sets, arrays, a folder, and in a notebook."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import TensorDataset

from genaug.data.hugging_face import Columns, to_hugging_face
from genaug.data.resize import resize
from genaug.executors import Report, silent
from genaug.images import to_unit
from genaug.mixing.dataset import ImageDataset
from genaug.mixing.live import MixedDataset, Recipe
from genaug.mixing.recipe import parse_recipe
from genaug.mixing.written import WrittenImages
from genaug.output.entries import candidate_name, entries
from genaug.output.files import MODELS
from genaug.output.folder import SPLIT_NAMES
from genaug.output.formats import Entries
from genaug.report import write_report
from genaug.report.notebook import STRIP, as_html, as_text
from genaug.run import pipeline
from genaug.run.assessment import assess
from genaug.run.budget import within_budget
from genaug.run.generation import generate
from genaug.run.job import Job
from genaug.run.judges import judged_probabilities
from genaug.storage import scratch_folder
from genaug.studies.gate import apply_gate, keep_study
from genaug.training import side_by_side

_COLUMNS = ("class", "real", "classical", "generated")
_UNKNOWN = "Whether these images help a classifier is not known; genaug.study() finds out."


class Augmented:
    """The result of augment().

    dataset: real and synthetic training images together; synthetic: the synthetic ones alone. Both are torch data sets
    of (PIL image, label), with the pixels that `save` writes and the attributes of torchvision's ImageFolder.
    counts: {class: {"real": n, "classical": n, "generated": n}}. rejected: {candidate: the selector that rejected it,
    and why}. shortfall: {class: images missing from the plan}. failures: {class: why}. refused: {class: why it gets no
    generated images}. skipped: {real file: why it was left out}. findings: sentences on what may be wrong with the set,
    as a run says them.
    """

    def __init__(self, job: Job, workers: int | None, report: Report = silent, columns: Columns | None = None) -> None:
        self._folder = scratch_folder(self)
        job = within_budget(job, self._folder, workers=workers)
        self._job = apply_gate(job, self._folder, workers=side_by_side(workers), report=report)
        generated = generate(self._job, self._folder / MODELS, self._folder, workers=workers, report=report)
        self._records = generated.records
        self._mixed = mixed = assess(pipeline.mix(generated), self._job, self._folder, workers, report)
        self._arrays = arrays = mixed.arrays()
        self._columns = columns
        self.counts = mixed.counts()
        self.findings = list(mixed.record["findings"])
        self.rejected = {candidate_name(mixed, one): f"{one.rejected_by}: {one.reason}" for one in mixed.rejected}
        self.shortfall = dict(mixed.shortfall)
        self.failures = dict(mixed.failures)
        self.refused = dict(mixed.record["refused"])
        self.skipped = {entry.path: entry.reason for entry in mixed.loaded.skipped}
        written = WrittenImages(mixed)
        self.synthetic = ImageDataset(written.synthetic(), arrays.synthetic_labels.tolist(), mixed.classes)
        self.dataset = ImageDataset(written, arrays.labels.tolist(), mixed.classes)

    def live(self, recipe: Recipe | None = None) -> MixedDataset:
        """Real and synthetic images for live training with a recipe; the recipe of augment() if left out.

        Raises UsageError for a recipe that cannot be read.
        """
        chosen = self._job.recipe if recipe is None else parse_recipe(recipe)
        arrays = self._arrays
        probabilities = judged_probabilities(self._job, arrays, self._folder) if chosen.soft_labels else None
        real_images, real_labels = arrays.as_real()
        mixed = ~arrays.tops_up
        return MixedDataset.of(
            real_images,
            real_labels,
            arrays.synthetic_images[mixed],
            arrays.synthetic_labels[mixed],
            self._mixed.classes,
            chosen,
            scores=arrays.scores[mixed].tolist(),
            probabilities=None if probabilities is None else probabilities[torch.from_numpy(mixed)],
        )

    def save(self, out: str | Path) -> None:
        """Write the data set to a folder, as `genaug run` does; raises OutputError where it holds something else."""
        pipeline.save(self._mixed, self._job, self._records, self._folder, Path(out))
        keep_study(self._job, self._folder, Path(out))
        write_report(Path(out))

    def to_numpy(self, size: tuple[int, int] | None = None) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """All training images as (X, y): X uint8 [N, H, W, C], y int64 [N], the real images first.

        size: (height, width) of all images; that at which the models worked if left out. The names of the labels are
        `dataset.classes`.
        """
        if size is None:
            return self._arrays.images, self._arrays.labels
        spec, policy = self._job.loaded.spec, self._job.loaded.resize
        images = np.empty((len(self.dataset), *size, spec.channels), np.uint8)
        for row, pixels in enumerate(self.dataset.images):
            images[row] = resize(pixels, *size, spec.channels, policy)
        return images, self._arrays.labels

    def to_torch(self, size: tuple[int, int] | None = None) -> TensorDataset:
        """All training images as (float32 [C, H, W] in [0, 1], int64 label) pairs of one size, for a DataLoader.

        size: as for `to_numpy`. `dataset` has the images as they are written, at their own sizes.
        """
        images, labels = self.to_numpy(size)
        return TensorDataset(to_unit(images), torch.from_numpy(labels))

    def to_huggingface(self) -> Any:
        """The files that `save` writes, as a Hugging Face Dataset; a DatasetDict where there are val or test images.

        The columns have the names, and the labels the numbers, of the Hugging Face data that came in; else `image` and
        `label`. Raises UsageError where the library datasets is not installed.
        """
        names = SPLIT_NAMES if self._columns is None else self._mixed.loaded.scan.folder_names
        splits = {names.get(split, split): _files(part) for split, part in entries(self._mixed).items()}
        return to_hugging_face(splits, self._mixed.classes, self._columns or Columns())

    def __repr__(self) -> str:
        return as_text(self._title(), _COLUMNS, self._rows(), self._sentences())

    def _repr_html_(self) -> str:
        return as_html(self._title(), _COLUMNS, self._rows(), self._sentences(), self._strips())

    def _title(self) -> str:
        totals = [sum(row[kind] for row in self.counts.values()) for kind in _COLUMNS[1:]]
        parts = ", ".join(f"{total} {kind}" for total, kind in zip(totals, _COLUMNS[1:], strict=True))
        return f"Augmented: {sum(totals)} training images of {len(self.counts)} classes ({parts})"

    def _rows(self) -> list[tuple[object, ...]]:
        return [(name, *(row[kind] for kind in _COLUMNS[1:])) for name, row in self.counts.items()]

    def _sentences(self) -> list[str]:
        gate, harm = self._mixed.record["gated"], self._mixed.record["harm_check"] or {}
        missing = [f"{name}: {why}" for name, why in {**self.failures, **self.refused}.items()]
        checked = harm and not harm.get("skipped") and not harm["harms"]
        fine = ["Harm check: no loss found (a check, not a proof of help)."] if checked else []
        return [*self.findings, *fine, *missing, gate["recommendation"] if gate else _UNKNOWN]

    def _strips(self) -> Mapping[str, Mapping[str, list[NDArray[np.uint8]]]]:
        arrays = self._arrays
        return {
            name: {
                "real": list(arrays.real_images[arrays.real_labels == label][:STRIP]),
                "synthetic": list(arrays.synthetic_images[arrays.synthetic_labels == label][:STRIP]),
            }
            for label, name in enumerate(self._mixed.classes)
        }


def _files(part: Entries) -> Iterator[tuple[bytes, str, str]]:
    """The bytes, name and class of each image of a split, one by one."""
    for entry in part:
        line, data = entry.make()
        yield data, entry.file_name, line["label"]
