"""The demo: real handwritten digits as an imbalanced folder, and a score with and without synthetic images."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from genaug.chance import derive
from genaug.data.split import TrainSplit
from genaug.executors import Report, silent
from genaug.features import ClassifierTask, trained
from genaug.mixing.mixed import MixedSet
from genaug.output.entries import candidate_name
from genaug.output.mark import png
from genaug.storage import make_folder, write_bytes

TRAIN_COUNTS = (60, 50, 42, 35, 29, 24, 20, 17, 14, 12)
TEST_COUNT = 50
_SIDE = 16
_STEPS = 200
_REPEATS = 3


def write_digits(folder: Path) -> None:
    """Write scikit-learn's bundled scans (1,797 real handwritten digits) as FOLDER/train and FOLDER/test.

    Training images come from the front of the file and test images from its end: mostly other writers.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    for label, count in enumerate(TRAIN_COUNTS):
        scans = digits.images[digits.target == label]
        _write_scans(folder / "train" / str(label), scans[:count])
        _write_scans(folder / "test" / str(label), scans[-TEST_COUNT:])


def scores(
    mixed: MixedSet, seed: int, *, workers: int | None = None, report: Report = silent
) -> dict[str, list[float]]:
    """Balanced accuracy on the test split after equal training steps on real only and on real + synthetic images.

    workers: classifiers that train side by side, by default one for each core.
    """
    from sklearn.metrics import balanced_accuracy_score

    test = mixed.loaded.splits["test"]
    arms = {"real only": mixed.loaded.train, "real + synthetic": together(mixed)}
    count = _REPEATS * len(arms)
    tasks = [
        ClassifierTask(split, derive(seed, "demo", repeat), _STEPS, repeat * len(arms) + place, count, "demo")
        for repeat in range(_REPEATS)
        for place, split in enumerate(arms.values(), start=1)
    ]
    found: dict[str, list[float]] = {name: [] for name in arms}
    for task, classifier in zip(tasks, trained(tasks, None, workers, report), strict=True):
        predictions = classifier.probabilities(test.images).argmax(dim=1).numpy()
        accuracy = float(balanced_accuracy_score(test.labels, predictions))
        found[[*arms][(task.number - 1) % len(arms)]].append(accuracy)
    return found


def together(mixed: MixedSet) -> TrainSplit:
    """Real and synthetic training images as one split."""
    train, arrays = mixed.loaded.train, mixed.arrays()
    counts = tuple(np.bincount(arrays.labels, minlength=len(train.spec.classes)).tolist())
    return TrainSplit(
        spec=replace(train.spec, counts=counts),
        images=arrays.images,
        labels=arrays.labels,
        rows=np.arange(len(arrays.labels), dtype=np.int64),
        names=(*train.names, *(candidate_name(mixed, one) for one in mixed.synthetic)),
    )


def sentence(found: dict[str, list[float]]) -> str:
    """The scores in one sentence, and whether the synthetic images helped."""
    real, both = found["real only"], found["real + synthetic"]
    gain = [after - before for before, after in zip(real, both, strict=True)]
    verdict = "helped" if min(gain) > 0 else "harmed" if max(gain) < 0 else "made no clear difference"
    return (
        f"balanced accuracy on the test split, {len(real)} repeats: real only {_spread(real)}, real + synthetic "
        f"{_spread(both)}; here the synthetic images {verdict} (a demo, not a study)"
    )


def _spread(values: Sequence[float]) -> str:
    return f"{mean(values):.3f} (sd {stdev(values):.3f})"


def scan_pixels(scan: NDArray[np.float64]) -> NDArray[np.uint8]:
    """A scan of scikit-learn's digits, [8, 8] in [0, 16], as the demo shows it: uint8 [16, 16, 1]."""
    grey = Image.fromarray(np.clip(scan * (255 / 16), 0, 255).astype(np.uint8))
    return np.asarray(grey.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC))[:, :, None]


def _write_scans(folder: Path, scans: NDArray[np.float64]) -> None:
    make_folder(folder)
    for number, scan in enumerate(scans):
        write_bytes(folder / f"{number:03d}.png", png(scan_pixels(scan)))
