"""Predictions of a trained classifier for all images of a folder."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genaug.data.decode import decode
from genaug.data.reading import read_all
from genaug.data.resize import resize
from genaug.data.scan import FoundFile, Skipped, scan_files
from genaug.errors import DataError
from genaug.studies.saved_classifier import SavedClassifier, read_classifier
from genaug.training import resolve_device

_TOGETHER = 1024  # images in memory


@dataclass(frozen=True)
class Predictions:
    """The class probabilities of the images of a folder.

    files: names relative to the folder, in alphabetical order. probabilities: float32 [N, K], calibrated. classes:
    their names. skipped: the files that cannot be read, and why.
    """

    files: tuple[str, ...]
    probabilities: NDArray[np.float32]
    classes: tuple[str, ...]
    skipped: tuple[Skipped, ...]

    @property
    def labels(self) -> list[str]:
        """The most probable class of each image."""
        return [self.classes[place] for place in self.probabilities.argmax(axis=1).tolist()]

    def to_csv(self) -> str:
        """A table with the columns file, predicted, and `probability <class>` for each class; six decimals."""
        text = StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow([*HEAD, *(f"probability {name}" for name in self.classes)])
        for name, label, row in zip(self.files, self.labels, self.probabilities.tolist(), strict=True):
            table.writerow([name, label, *(f"{value:.6f}" for value in row)])
        return text.getvalue()


HEAD = ("file", "predicted")


def predict(model: Path, folder: Path, *, device: str = "auto") -> Predictions:
    """The predictions of the classifier in `model` for every image in a folder, those of its folders included.

    Raises DataError for a folder without a classifier, or without one image that can be read; UsageError for a device
    that this machine does not have.
    """
    classifier, chosen = read_classifier(model), resolve_device(device)
    files, skipped = scan_files(folder)
    names: list[str] = []
    probabilities = [np.empty((0, len(classifier.facts.classes)), np.float32)]
    for part in _parts(files):
        read = _Reader(classifier)
        pairs, unreadable = read_all(part, read, folder)
        skipped += unreadable
        if pairs:
            names += [part[place].name for place, _ in pairs]
            probabilities.append(classifier.probabilities(np.stack([pixels for _, pixels in pairs]), chosen))
    if not names:
        example = f" ({skipped[0].path}: {skipped[0].reason})" if skipped else ""
        raise DataError(f"{folder} holds no image that can be read{example}; give a folder of images")
    return Predictions(tuple(names), np.concatenate(probabilities), classifier.facts.classes, tuple(skipped))


def _parts(files: list[FoundFile]) -> Iterator[list[FoundFile]]:
    yield from (files[start : start + _TOGETHER] for start in range(0, len(files), _TOGETHER))


class _Reader:
    """Reads a file to uint8 [H, W, C] at the size of a classifier; raises UnreadableError."""

    def __init__(self, classifier: SavedClassifier) -> None:
        self._facts = classifier.facts

    def __call__(self, _place: int, file: FoundFile) -> NDArray[np.uint8]:
        facts = self._facts
        return resize(decode(file.path).pixels, *facts.size, facts.channels, facts.resize)
