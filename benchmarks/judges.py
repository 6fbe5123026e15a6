"""How good the classifiers are that judge generated images, and what they cost.

    python benchmarks/judges.py FOLDER... [--size 32] [--steps 400] [--seed 0]

FOLDER holds class folders, or train/ and test/ with class folders. Prints the accuracy on the test split of a
classifier of all training images; then, of the cross-fitted classifiers, each of which judges images that it was not
trained on: balanced accuracy, the share of real images whose class gets a probability below one half, the temperature,
and the CPU seconds of all trainings in one thread.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from genaug.classifier import fit_classifier
from genaug.data.folder import load_folder
from genaug.features import cross_fit
from genaug.features.crossfit import STEPS
from genaug.training import computing
from sklearn.metrics import balanced_accuracy_score

LEAST = 0.5


def main() -> None:
    """Train the classifiers of each folder and print one line for it."""
    given = _arguments()
    print("| folder | images | test | cross-fitted, balanced | real images lost | temperature | CPU seconds |")
    print("|---|---|---|---|---|---|---|", flush=True)
    with computing(1):
        for folder in given.folders:
            print(_line(folder, given.size, given.steps, given.seed), flush=True)


def _line(folder: Path, size: int, steps: int, seed: int) -> str:
    loaded = load_folder(folder, size=(size, size))
    train, test, tested = loaded.train, loaded.splits.get("test"), "-"
    if test is not None:
        found = fit_classifier(train, steps=steps, seed=seed).probabilities(test.images).argmax(dim=1).numpy()
        tested = f"{np.mean(found == test.labels):.3f}"
    started = time.process_time()
    judges = cross_fit(train, seed=seed, steps=steps)
    seconds = time.process_time() - started
    found = judges.probabilities(train.images, torch.arange(len(train))).numpy()
    balanced = balanced_accuracy_score(train.labels, found.argmax(axis=1))
    lost = np.mean(found[np.arange(len(train)), train.labels] < LEAST)
    facts = (folder.name, len(train), tested, f"{balanced:.3f}", f"{lost:.3f}", f"{judges.temperature:.2f}")
    return f"| {' | '.join(map(str, facts))} | {seconds:.0f} |"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="folder of class folders")
    parser.add_argument("--size", type=int, default=32, help="height and width in pixels")
    parser.add_argument("--steps", type=int, default=STEPS, help="training steps of each classifier")
    parser.add_argument("--seed", type=int, default=0, help="of folds and classifiers")
    return parser.parse_args()


if __name__ == "__main__":
    main()
