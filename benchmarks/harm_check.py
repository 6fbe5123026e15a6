"""How often the harm check of a run speaks.

    python benchmarks/harm_check.py [FOLDER] --runs 20 --steps 200

Kinds of additions, --times as many as there are real images. harmless: fresh classical variants of any training image,
presented as generated. unseen: the same, but those of held-out images are left out, so that they cannot help by
showing what is asked. exchanged: the unseen ones, of which a third have the label of another class. leaking: the
harmless ones with the same labels. copies: one copy of each real image, without those of held-out images: these change
nothing, so the check should speak in at most one of twenty runs. Without FOLDER, each run draws 12 scans of each of
scikit-learn's digits.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from genaug.data.folder import load_folder
from genaug.data.split import TrainSplit
from genaug.output.mark import png
from genaug.registry import load_registry
from genaug.run import pipeline
from genaug.run.config import RunConfig
from genaug.run.generation import generate
from genaug.run.harm_check import Additions, measure_harm
from genaug.run.job import Job, resolve
from genaug.storage import make_folder, write_bytes

EACH = 12


def write_digits(folder: Path, seed: int) -> Path:
    """Some scans of each digit as a folder of class folders."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    for label in range(10):
        scans = digits.images[digits.target == label]
        for number in np.random.default_rng([seed, label]).permutation(len(scans))[:EACH]:
            pixels = (scans[number] * 15.9).astype(np.uint8).repeat(2, axis=0).repeat(2, axis=1)
            write_bytes(make_folder(folder / str(label)) / f"{number:04d}.png", png(pixels[:, :, None]))
    return folder


def exchanged(labels: np.ndarray, seed: int) -> np.ndarray:
    """A third of the labels, chosen at random, replaced by another class."""
    chance = np.random.default_rng(seed)
    chosen = chance.permutation(len(labels))[: len(labels) // 3]
    wrong = labels.copy()
    classes = int(labels.max()) + 1
    wrong[chosen] = (wrong[chosen] + chance.integers(1, classes, len(chosen))) % classes
    return wrong


def variants(job: Job, folder: Path) -> tuple[Additions, np.ndarray]:
    """Fresh classical variants as if they were generated, and the training row of each."""
    arrays = pipeline.mix(generate(job, folder / "models", folder, workers=1)).arrays()
    foreign = np.full(len(arrays.synthetic_labels), -1)
    return Additions(arrays.synthetic_images, arrays.synthetic_labels, foreign), arrays.sources


def cases(train: TrainSplit, made: Additions, sources: np.ndarray, seed: int) -> Iterator[tuple[str, Additions]]:
    """The kinds of additions."""
    yield "copies", Additions(train.images, train.labels, np.arange(len(train)))
    yield "harmless", made
    yield "unseen", Additions(made.images, made.labels, sources)
    yield "exchanged", Additions(made.images, exchanged(made.labels, seed), sources)
    yield "leaking", Additions(made.images, exchanged(made.labels, seed), made.copied)


def main() -> None:
    """Print the figures of each run, and how often the check spoke."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="seed of the first run")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--times", type=int, default=1, help="additions for each real image")
    parser.add_argument("--cases", default="copies,harmless,unseen,exchanged,leaking")
    given = parser.parse_args()
    spoke = dict.fromkeys(given.cases.split(","), 0)
    for seed in range(given.first, given.first + given.runs):
        with TemporaryDirectory() as scratch:
            home = Path(scratch)
            loaded = load_folder(given.folder or write_digits(home / "digits", seed))
            counts = {name: given.times * loaded.spec.counts[label] for label, name in enumerate(loaded.spec.classes)}
            config = RunConfig(generator="classical", targets=counts, select=("none",), check=False, seed=seed)
            made, sources = variants(resolve(config, loaded, load_registry()), home)
            for name, additions in cases(loaded.train, made, sources, seed):
                if name in spoke:
                    started = time.process_time()
                    found = measure_harm(loaded.train, additions, seed=seed, steps=given.steps, folder=home / "check")
                    spoke[name] += bool(found and found.harms)
                    print(f"{seed} {name}: {found} {time.process_time() - started:.0f} s of one core", flush=True)
    for name, count in spoke.items():
        print(f"{name}: the check spoke in {count} of {given.runs} runs")


if __name__ == "__main__":
    main()
