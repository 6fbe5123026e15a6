"""Does fast sampling cost quality? One cddpm, the same weights: 20 steps against 1000-step ancestral sampling.

    python benchmarks/sampling.py FOLDER [--size 32] [--steps 2000] [--images 100]

Prints for each sampler the squared kernel distance to the training images, and by how much it exceeds that of
ancestral sampling, with 95 % intervals; and what as many real images get against others. Features are those of a
classifier that is trained on the test split, which nothing else here sees.
"""

import argparse
import math
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from genaug.chance import Noise, stream
from genaug.classifier import fit_classifier
from genaug.config import RunConfig
from genaug.data.folder import LoadedFolder, load_folder
from genaug.data.split import TrainSplit
from genaug.fitting import load_model
from genaug.generation import generate
from genaug.images import to_uint8
from genaug.job import resolve
from genaug.metric import squared_mmd
from genaug.metrics.functional import distances, gaussian_kernels
from genaug.metrics.intervals import Z, mmd_standard_error
from genaug.registry import load_registry
from genaug.storage import scratch_folder
from torch import Tensor

SAMPLERS = {"ancestral": 1000, "sde-dpm-solver++": 20, "dpm-solver++": 20, "ddim": 20}
JUDGE_STEPS, FLOORS = 1500, 1000


def main() -> None:
    """Train once, draw with each sampler from the same noise, compare."""
    given = _arguments()
    loaded, registry = load_folder(given.folder, size=(given.size, given.size)), load_registry()
    if "test" not in loaded.splits:
        raise SystemExit("this needs a folder with train/ and test/")
    sizes = {"per_class": 1, "size": (given.size, given.size)}
    config = RunConfig(generator="cddpm", train={"steps": given.steps}, select=("none",), **sizes)
    scratch = scratch_folder(main)
    made = generate(resolve(config, loaded, registry), scratch / "models", scratch)
    model = load_model(made.records[0].path, registry.generators.get("cddpm"))
    judge = fit_classifier(_as_training(loaded, "test"), steps=JUDGE_STEPS, seed=0)
    real = judge.features(loaded.train.images)
    labels = _like(torch.from_numpy(loaded.train.labels), given.images)
    slow = None
    for sampler, steps in SAMPLERS.items():
        started = time.monotonic()
        found = judge.features(_drawn(model, sampler, steps, labels))
        kernels = gaussian_kernels(real, found)
        told = _told(squared_mmd(kernels), mmd_standard_error(kernels))
        slow = found if slow is None else slow
        print(f"{sampler}, {steps} steps: {told}; ancestral {_told(*excess(real, found, slow))} more", end="")
        print(f", {time.monotonic() - started:.0f} s", flush=True)
    print(_floor(real, given.images))


def _as_training(loaded: LoadedFolder, name: str) -> TrainSplit:
    part = loaded.splits[name]
    counts = np.bincount(part.labels, minlength=len(loaded.spec.classes))
    spec = replace(loaded.spec, counts=tuple(counts.tolist()))
    return TrainSplit(spec, part.images, part.labels, np.arange(len(part.labels)), part.names)


def excess(real: Tensor, fast: Tensor, slow: Tensor) -> tuple[float, float]:
    """By how much the squared MMD of `fast` [M, D] to real features [N, D] exceeds that of `slow` [M, D]; its error.

    One bandwidth for all, so that the kernels among real images cancel. The error is the jackknife's over the images of
    all three.
    """
    squares = distances(*[torch.cat([real, fast, slow])] * 2).square()
    kernel = torch.exp(-squares / squares[squares > 0].median())
    parts = torch.tensor([0] * len(real) + [1] * len(fast) + [2] * len(slow))
    everything = torch.ones(len(parts), dtype=torch.bool)
    variance = 0.0
    for part in range(3):
        places = (parts == part).nonzero().flatten().tolist()
        left = []
        for place in places:
            kept = everything.clone()
            kept[place] = False
            left.append(_difference(kernel, parts, kept))
        variance += (len(places) - 1) * float(np.var(left))
    return _difference(kernel, parts, everything), math.sqrt(variance)


def _difference(kernel: Tensor, parts: Tensor, kept: Tensor) -> float:
    real, fast, slow = ((parts == part) & kept for part in range(3))
    return _nearness(kernel, real, fast) - _nearness(kernel, real, slow)


def _nearness(kernel: Tensor, real: Tensor, made: Tensor) -> float:
    inside, count = kernel[made][:, made], int(made.sum())
    return float((inside.sum() - inside.trace()) / (count * (count - 1)) - 2 * kernel[real][:, made].mean())


def _floor(real: Tensor, images: int) -> str:
    """What two disjoint sets of so many real images get: the mean, and what 95 % of all pairs stay within."""
    found = []
    for draw in range(FLOORS):
        order = torch.randperm(len(real), generator=stream(0, "floor", draw))
        found.append(squared_mmd(gaussian_kernels(real[order[:images]], real[order[images : 2 * images]])))
    low, high = np.percentile(found, (2.5, 97.5))
    return f"real against real, {images} each: {np.mean(found):.4f} ({low:.4f} to {high:.4f})"


def _like(labels: Tensor, images: int) -> Tensor:
    """Labels int64 [images] in the proportions of the training images."""
    places = torch.linspace(0, len(labels) - 1, images).round().long()
    return labels.sort().values[places]


def _drawn(model, sampler: str, steps: int, labels: Tensor) -> np.ndarray:
    generator = model._generator
    generator.config = generator.config.model_copy(update={"sampler": sampler, "sampling_steps": steps})
    noise = Noise.per_image(0, "benchmark", [(image,) for image in range(len(labels))])
    return to_uint8(model.sample(labels, noise).images)


def _told(value: float, error: float) -> str:
    return f"{value:+.4f} ({value - Z * error:+.4f} to {value + Z * error:+.4f})"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of train/ and test/ folders of class folders")
    parser.add_argument("--size", type=int, default=32, help="model size in pixels")
    parser.add_argument("--steps", type=int, default=2000, help="training steps")
    parser.add_argument("--images", type=int, default=100, help="images drawn by each sampler")
    return parser.parse_args()


if __name__ == "__main__":
    main()
