"""Measures what the same generated images do as fill-up of small classes and as an even mix, on held-out images.

    python benchmarks/mixes.py DATA [-g cvae,cddpm] [--size 32] [--steps 800] [--seeds 4] [--preset auto]

DATA/test is the held-out set; without it, two of five cross-validation folds are. Every classifier trains for the same
number of steps on class-balanced batches (the judges' classifier, with Muon). `blurred copies` are a planted generator:
copies of real images under a Gaussian blur. Balanced accuracy in points, mean and standard deviation over seeds.
"""

import argparse
import math
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev

import numpy as np
from genaug.classifier import fit_classifier
from genaug.data.folder import LoadedFolder, load_folder
from genaug.data.split import TrainSplit
from genaug.registry import load_registry
from genaug.run.config import RunConfig
from genaug.run.generation import generate
from genaug.run.job import resolve
from genaug.run.pipeline import mix
from genaug.studies.splits import split_folds
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from sklearn.metrics import balanced_accuracy_score

SHARES = (0.1, 0.25, 0.5)
BLUR = 1.5  # standard deviation in pixels at 32
Pixels = NDArray[np.uint8]
Labels = NDArray[np.int64]


def main() -> None:
    """Print one row for each way to mix, of each generator."""
    arguments = _arguments()
    part, test_images, test_labels = _held_out(arguments.data, arguments.size)
    largest = max(part.spec.counts)
    print(f"{len(part.train)} training and {len(test_labels)} held-out images at {arguments.size} pixels", flush=True)
    real_done = False
    for name in (*arguments.generators.split(","), "blurred copies"):
        side, pool = _drawn(part, name, largest, arguments)
        for title, images, labels in _ways(part.train, side, pool, largest):
            if real_done and title.startswith("real"):
                continue
            split = _split(part.train, images, labels)
            scores = []
            for seed in range(arguments.seeds):
                classifier = fit_classifier(split, steps=arguments.steps, seed=seed)
                found = classifier.probabilities(test_images).argmax(dim=1).numpy()
                scores.append(100 * float(balanced_accuracy_score(test_labels, found)))
            spread = stdev(scores) if len(scores) > 1 else 0.0
            print(
                f"| {name if not title.startswith('real') else ''} | {title} | {len(labels)} | "
                f"{mean(scores):.1f} | {spread:.1f} |",
                flush=True,
            )
        real_done = True


def _held_out(data: Path, size: int) -> tuple[LoadedFolder, Pixels, Labels]:
    """The training part of a folder, and the held-out images with their labels."""
    loaded = load_folder(data, size=(size, size))
    if "test" in loaded.splits:
        test = loaded.splits["test"]
        return loaded.only_training_on(frozenset(loaded.train.names)), test.images, test.labels
    train = loaded.train
    first, second = list(split_folds(train, folds=5, repeats=1, seed=0))[:2]
    held = np.concatenate([first.held_out, second.held_out])
    kept = frozenset(name for row, name in enumerate(train.names) if row not in set(held.tolist()))
    return loaded.only_training_on(kept), train.images[held], train.labels[held]


def _drawn(
    part: LoadedFolder, name: str, largest: int, arguments: argparse.Namespace
) -> tuple[tuple[Pixels, Labels], tuple[Pixels, Labels]]:
    """The real side, topped up with classical variants, and as many generated images as the largest class has."""
    generator = "classical" if name == "blurred copies" else name
    top_up = "oversample" if name == "blurred copies" else "classical"
    config = RunConfig(
        generator=generator,
        per_class=largest,
        top_up=top_up,
        preset="auto" if generator == "classical" else arguments.preset,
        on_shortfall="leave",
        seed=0,
        **({} if arguments.select else {"select": ("none",)}),
    )
    with tempfile.TemporaryDirectory() as folder:
        job = resolve(config, part, load_registry())
        arrays = mix(generate(job, Path(folder) / "models", Path(folder), workers=1)).arrays()
    drawn = ~arrays.tops_up
    images, labels = arrays.synthetic_images[drawn], arrays.synthetic_labels[drawn]
    if name == "blurred copies":
        width = BLUR * arguments.size / 32
        images = np.stack([gaussian_filter(image, (width, width, 0)) for image in images])
    return arrays.as_real(), (images, labels)


def _ways(
    train: TrainSplit, side: tuple[Pixels, Labels], pool: tuple[Pixels, Labels], largest: int
) -> Iterator[tuple[str, Pixels, Labels]]:
    yield "real images alone", train.images, train.labels
    yield "real side, topped up", *side
    missing = largest - np.bincount(train.labels, minlength=len(train.spec.classes))
    yield "fill-up to the largest class", *_joined((train.images, train.labels), _first(pool, missing))
    for share in SHARES:
        count = np.full(len(missing), math.ceil(largest * share / (1 - share)))
        yield f"even mix, {share:.0%} generated", *_joined(side, _first(pool, count))


def _first(pool: tuple[Pixels, Labels], counts: Labels) -> tuple[Pixels, Labels]:
    rows = [row for label, count in enumerate(counts) for row in np.flatnonzero(pool[1] == label)[:count]]
    return pool[0][rows], pool[1][rows]


def _joined(one: tuple[Pixels, Labels], other: tuple[Pixels, Labels]) -> tuple[Pixels, Labels]:
    return np.concatenate([one[0], other[0]]), np.concatenate([one[1], other[1]])


def _split(train: TrainSplit, images: Pixels, labels: Labels) -> TrainSplit:
    counts = tuple(np.bincount(labels, minlength=len(train.spec.classes)).tolist())
    rows = np.arange(len(labels), dtype=np.int64)
    return TrainSplit(replace(train.spec, counts=counts), images, labels, rows, tuple(map(str, rows)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("-g", "--generators", default="cvae,cddpm")
    parser.add_argument("--preset", default="auto")
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--select", action="store_true", help="use the default selectors; without it, all images")
    return parser.parse_args()


if __name__ == "__main__":
    main()
