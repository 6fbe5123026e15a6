"""Does a study find what is planted, and nothing else? Whole studies on fresh noisy digits, verdicts counted.

    python benchmarks/study.py [--studies 200] [--steps 60] [--folds 2] [--repeats 3]

`perfect` draws real images that the folder does not hold, `shuffled` images of another class, `oversample` copies of
the training images, as many for each class as it has: the first should help, the second harm, the third neither.
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
from genaug.config import RunConfig
from genaug.data.folder import load_folder
from genaug.study.question import Question
from genaug.study.settings import StudyConfig
from genaug.study.study import study
from PIL import Image

QUESTIONS = {"oversample": planted.EACH // 2, "perfect": 60, "shuffled": 60}


def main() -> None:
    """Ask each question of so many fresh folders, and count the answers."""
    given = _arguments()
    home = Path(tempfile.mkdtemp(prefix="genaug-planted-"))
    _install(home / "site")
    wish = StudyConfig(folds=given.folds, repeats=given.repeats, seeds=1, steps=given.steps)
    for generator, count in QUESTIONS.items():
        verdicts: Counter[str] = Counter()
        for seed in range(given.studies):
            data = _folder(home / "data", seed)
            run = RunConfig(generator=generator, per_class=count, select=("none",), seed=seed)
            found = study(Question(load_folder(data), {generator: run}, wish), home / "out")
            verdicts[found["headline"]["verdict"]] += 1
            shutil.rmtree(home / "out")
            print(f"{generator}: {dict(verdicts)} in {seed + 1} studies", flush=True)
    shutil.rmtree(home)


def _folder(data: Path, seed: int) -> Path:
    """The same scans under fresh noise."""
    shutil.rmtree(data, ignore_errors=True)
    for digit in planted.DIGITS:
        (data / str(digit)).mkdir(parents=True)
        for number, scan in enumerate(planted.scans(digit, seed, held=True)):
            Image.fromarray(scan).save(data / str(digit) / f"{number}.png")
    return data


def _install(site: Path) -> None:
    """The planted generators as a plugin of this process and of its workers."""
    facts = site / "planted-1.0.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: planted\nVersion: 1.0\n", "utf-8")
    (facts / "entry_points.txt").write_text("[genaug]\nplanted = planted\n", "utf-8")
    paths = [str(site), str(Path(__file__).parent)]
    sys.path[:0] = paths
    os.environ["PYTHONPATH"] = os.pathsep.join([*paths, os.environ.get("PYTHONPATH", "")])
    importlib.metadata.distribution("planted")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=200, help="for each generator")
    parser.add_argument("--steps", type=int, default=60, help="training steps of each classifier")
    parser.add_argument("--folds", type=int, default=2, help="of each study")
    parser.add_argument("--repeats", type=int, default=3, help="of each study")
    return parser.parse_args()


if __name__ == "__main__":
    main()
