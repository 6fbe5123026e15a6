"""Does fast sampling cost quality? One cddpm, the same weights: 20 steps against 1000-step ancestral sampling.

    python benchmarks/sampling.py FOLDER [--size 32] [--steps 2000] [--images 100] [--draws 8] [--workers 2]

Prints after each draw, over all so far, the squared kernel distance of each sampler to the training images, and by how
much it exceeds that of ancestral sampling, with 95 % intervals; and what as many real images get against others.
Features are those of a classifier that is trained on the test split, which nothing else here sees. A draw of 100 images
by ancestral sampling takes about 12 minutes of one core at 32 pixels.
"""

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from genaug.chance import Noise, stream
from genaug.classifier import fit_classifier
from genaug.data.folder import LoadedFolder, load_folder
from genaug.data.split import TrainSplit
from genaug.fitting import load_model
from genaug.images import to_uint8
from genaug.metrics.functional import distances
from genaug.registry import load_registry
from genaug.run.config import RunConfig
from genaug.run.generation import generate
from genaug.run.job import resolve
from genaug.storage import scratch_folder
from scipy.stats import t
from torch import Tensor

SAMPLERS = {"ancestral": 1000, "sde-dpm-solver++": 20, "dpm-solver++": 20, "ddim": 20}
JUDGE_STEPS, BASELINES = 1500, 1000


def main() -> None:
    """Train once, draw with each sampler from the same noise, compare."""
    given = _arguments()
    torch.set_num_threads(1)
    loaded = load_folder(given.folder, size=(given.size, given.size))
    if "test" not in loaded.splits:
        raise SystemExit("this needs a folder with train/ and test/")
    path = _trained(loaded, given.size, given.steps)
    judge = fit_classifier(_as_training(loaded, "test"), steps=JUDGE_STEPS, seed=0)
    distance = KernelDistance(judge.features(loaded.train.images))
    labels = _like(torch.from_numpy(loaded.train.labels), given.images)
    print(distance.baseline(given.images), flush=True)
    found: dict[str, list[Nearness]] = {sampler: [] for sampler in SAMPLERS}
    with ProcessPoolExecutor(given.workers, mp_context=get_context("spawn")) as workers:
        drawn = workers.map(_drawn, *zip(*_tasks(path, labels, given.draws), strict=True))
        for sampler, images, seconds in drawn:
            found[sampler].append(distance.to(judge.features(images)))
            more = distance.excess(found[sampler], found["ancestral"])
            print(
                f"{sampler}: {distance.text(found[sampler])}; {more} more than ancestral, {seconds:.0f} s", flush=True
            )


@dataclass(frozen=True)
class Nearness:
    """Of one draw: the mean kernel between two of its images, and from each real image [N] to them."""

    inside: float
    across: Tensor


class KernelDistance:
    """Squared MMD to these features of real images [N, D], with one bandwidth: the median of their own distances.

    Unbiased (Gretton et al. 2012, JMLR 13, eq. 3).
    """

    def __init__(self, real: Tensor):
        squares = distances(real, real).square()
        self._real, self._scale = real, squares[squares > 0].median()
        self._own = torch.exp(-squares / self._scale)

    def to(self, generated: Tensor) -> Nearness:
        """How near features [M, D] are to each other and to the real ones."""
        return Nearness(_inside(self._kernel(generated, generated)), self._kernel(self._real, generated).mean(dim=1))

    def text(self, draws: list[Nearness]) -> str:
        """The distance, with an interval where there are several draws."""
        inside = _inside(self._own)
        values = [inside + draw.inside - 2 * float(draw.across.mean()) for draw in draws]
        twin = 2 * (self._own.sum(dim=1) - 1) / (len(self._own) - 1)
        return _interval(values, twin - 2 * _mean(draws))

    def excess(self, fast: list[Nearness], slow: list[Nearness]) -> str:
        """By how much the distance of `fast` exceeds that of `slow`, draw by draw from the same noise."""
        pairs = list(zip(fast, slow, strict=True))
        values = [one.inside - two.inside - 2 * float((one.across - two.across).mean()) for one, two in pairs]
        return _interval(values, -2 * (_mean(fast) - _mean(slow)))

    def baseline(self, images: int) -> str:
        """What two disjoint sets of so many real images get: the mean, and what 95 % of all pairs stay within."""
        found = []
        for draw in range(BASELINES):
            order = torch.randperm(len(self._real), generator=stream(0, "floor", draw))
            one, two = order[:images], order[images : 2 * images]
            within = _inside(self._own[one][:, one]) + _inside(self._own[two][:, two])
            found.append(within - 2 * float(self._own[one][:, two].mean()))
        low, high = np.percentile(found, (2.5, 97.5))
        return f"real against real, {images} each: {np.mean(found):+.4f} ({low:+.4f} to {high:+.4f})"

    def _kernel(self, first: Tensor, second: Tensor) -> Tensor:
        return torch.exp(-distances(first, second).square() / self._scale)


def _inside(kernel: Tensor) -> float:
    """The mean over pairs of different images."""
    count = len(kernel)
    return float((kernel.sum() - kernel.trace()) / (count * (count - 1)))


def _mean(draws: list[Nearness]) -> Tensor:
    return torch.stack([draw.across for draw in draws]).mean(dim=0)


def _interval(values: list[float], influence: Tensor) -> str:
    """The mean of the draws' values; 95 % of Student's t over the draws and the real images' influence [N] on it."""
    mean, draws = float(np.mean(values)), len(values)
    if draws == 1:
        return f"{mean:+.4f}"
    variance = float(np.var(values, ddof=1)) / draws + float(influence.var()) / len(influence)
    error = float(t.ppf(0.975, draws - 1)) * variance**0.5
    return f"{mean:+.4f} ({mean - error:+.4f} to {mean + error:+.4f})"


def _trained(loaded: LoadedFolder, size: int, steps: int) -> Path:
    config = RunConfig(generator="cddpm", per_class=1, size=(size, size), train={"steps": steps}, select=("none",))
    scratch = scratch_folder(main)
    path: Path = generate(resolve(config, loaded, load_registry()), scratch / "models", scratch).records[0].path
    return path


def _as_training(loaded: LoadedFolder, name: str) -> TrainSplit:
    part = loaded.splits[name]
    counts = np.bincount(part.labels, minlength=len(loaded.spec.classes))
    spec = replace(loaded.spec, counts=tuple(counts.tolist()))
    return TrainSplit(spec, part.images, part.labels, np.arange(len(part.labels)), part.names)


def _like(labels: Tensor, images: int) -> Tensor:
    """Labels int64 [images] in the proportions of the training images."""
    places = torch.linspace(0, len(labels) - 1, images).round().long()
    return labels.sort().values[places]


def _tasks(path: Path, labels: Tensor, draws: int) -> list[tuple[Path, Tensor, int, str]]:
    return [(path, labels, draw, sampler) for draw in range(draws) for sampler in SAMPLERS]


def _drawn(path: Path, labels: Tensor, draw: int, sampler: str) -> tuple[str, np.ndarray, float]:
    """Images uint8 of one draw by this sampler, and the seconds that they took."""
    torch.set_num_threads(1)
    model = load_model(path, load_registry().generators.get("cddpm"))
    generator = model._generator
    chosen = {"sampler": sampler, "sampling_steps": SAMPLERS[sampler]}
    generator.config = generator.config.model_copy(update=chosen)
    noise = Noise.per_image(0, "benchmark", [(draw, image) for image in range(len(labels))])
    started = time.monotonic()
    images = to_uint8(model.sample(labels, noise).images)
    return sampler, images, time.monotonic() - started


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of train/ and test/ folders of class folders")
    parser.add_argument("--size", type=int, default=32, help="model size in pixels")
    parser.add_argument("--steps", type=int, default=2000, help="training steps")
    parser.add_argument("--images", type=int, default=100, help="images in a draw")
    parser.add_argument("--draws", type=int, default=8, help="draws by each sampler")
    parser.add_argument("--workers", type=int, default=2, help="processes that draw, with one thread each")
    return parser.parse_args()


if __name__ == "__main__":
    main()
