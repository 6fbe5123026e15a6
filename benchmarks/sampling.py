"""Does fast sampling cost quality? One cddpm, the same weights: 20-step DPM-Solver++ against 1000-step ancestral.

    python benchmarks/sampling.py FOLDER [--size 32] [--steps 2000] [--images 100]

Prints the kernel distance of each to the real images (classifier features) with its interval, and real against real.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from genaug.chance import Noise
from genaug.config import RunConfig
from genaug.data.folder import load_folder
from genaug.evaluation import Sides, Views, compare, parse_wishes
from genaug.features import cross_fit
from genaug.fitting import load_model
from genaug.generation import generate
from genaug.images import to_uint8
from genaug.job import resolve
from genaug.registry import load_registry
from genaug.storage import scratch_folder

SAMPLERS = {"dpm-solver++": 20, "ddim": 20, "ancestral": 1000}


def main() -> None:
    """Train once, draw with each sampler from the same noise, compare."""
    given = _arguments()
    loaded, registry = load_folder(given.folder, size=(given.size, given.size)), load_registry()
    sizes = {"per_class": 1, "size": (given.size, given.size)}
    config = RunConfig(generator="cddpm", train={"steps": given.steps}, select=("none",), **sizes)
    scratch = scratch_folder(main)
    made = generate(resolve(config, loaded, registry), scratch / "models", scratch)
    model = load_model(made.records[0].path, registry.generators.get("cddpm"))
    judges = cross_fit(loaded.train, seed=0)
    (wish,) = parse_wishes(["mmd"], registry, "classifier")
    for sampler, steps in SAMPLERS.items():
        generator = model._generator
        changes = {"sampler": sampler, "sampling_steps": steps}
        generator.config = generator.config.model_copy(update=changes)
        started = time.monotonic()
        images, labels = _drawn(model, given.images, loaded)
        seconds = time.monotonic() - started
        sides = Sides.of(loaded.train, images, labels)
        (row,) = compare(wish, Views(sides, {}, seed=0, judges=judges))
        interval = row.overall.interval
        print(f"{sampler} {steps} steps: {row.overall.value:.4f} ({interval.low:.4f} to {interval.high:.4f})", end="")
        print(f", real {row.real:.4f}, {seconds:.0f} s", flush=True)


def _drawn(model, count, loaded) -> tuple[np.ndarray, np.ndarray]:
    labels = torch.arange(count) % len(loaded.spec.classes)
    noise = Noise.per_image(0, "benchmark", [(image,) for image in range(count)])
    return to_uint8(model.sample(labels, noise).images), labels.numpy()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of class folders, or of train/ and test/")
    parser.add_argument("--size", type=int, default=32, help="model size in pixels")
    parser.add_argument("--steps", type=int, default=2000, help="training steps")
    parser.add_argument("--images", type=int, default=100, help="images drawn by each sampler")
    return parser.parse_args()


if __name__ == "__main__":
    main()
