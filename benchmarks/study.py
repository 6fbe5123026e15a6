"""Counts the verdicts of whole studies of generators with known effects, each on digits with new noise.

    python benchmarks/study.py [--studies 200] [--steps 60] [--folds 2] [--repeats 3]

`perfect` draws real images that the folder does not have, and should help. `shuffled` draws images of another class,
and should harm. `oversample` copies training images, as many per class as a split has, and should do neither.
"""

import argparse
import importlib.metadata
import os
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

import planted
from genaug.data.folder import load_folder
from genaug.run.config import RunConfig
from genaug.studies.question import Question
from genaug.studies.settings import StudyConfig
from genaug.studies.study import study
from PIL import Image

COUNTS = {"oversample": planted.EACH // 2, "perfect": 60, "shuffled": 60}


def main() -> None:
    """Study each generator on as many folders as requested, and print its verdicts so far."""
    arguments = _arguments()
    home = Path(tempfile.mkdtemp(prefix="genaug-planted-"))
    _install(home / "site")
    settings = StudyConfig(folds=arguments.folds, repeats=arguments.repeats, seeds=1, steps=arguments.steps)
    for generator, count in COUNTS.items():
        verdicts: Counter[str] = Counter()
        for seed in range(arguments.studies):
            data = _folder(home / "data", seed)
            run = RunConfig(generator=generator, per_class=count, select=("none",), seed=seed)
            found = study(Question(load_folder(data), {generator: run}, settings), home / "out")
            verdicts[found["headline"]["verdict"]] += 1
            shutil.rmtree(home / "out")
            print(f"{generator}: {dict(verdicts)} in {seed + 1} studies", flush=True)
    shutil.rmtree(home)


def _folder(data: Path, seed: int) -> Path:
    """A folder of the same scans with the noise of this seed."""
    shutil.rmtree(data, ignore_errors=True)
    for digit in planted.DIGITS:
        (data / str(digit)).mkdir(parents=True)
        for number, scan in enumerate(planted.scans(digit, seed, held=True)):
            Image.fromarray(scan).save(data / str(digit) / f"{number}.png")
    return data


def _install(site: Path) -> None:
    """Install the generators of planted.py as a plugin for this process and its workers."""
    metadata = site / "planted-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: planted\nVersion: 1.0\n", "utf-8")
    (metadata / "entry_points.txt").write_text("[genaug]\nplanted = planted\n", "utf-8")
    paths = [str(site), str(Path(__file__).parent)]
    sys.path[:0] = paths
    os.environ["PYTHONPATH"] = os.pathsep.join([*paths, os.environ.get("PYTHONPATH", "")])
    importlib.metadata.distribution("planted")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=200, help="number of studies of each generator")
    parser.add_argument("--steps", type=int, default=60, help="training steps of each classifier")
    parser.add_argument("--folds", type=int, default=2, help="cross-validation folds of each study")
    parser.add_argument("--repeats", type=int, default=3, help="repetitions of the cross-validation")
    return parser.parse_args()


if __name__ == "__main__":
    main()
