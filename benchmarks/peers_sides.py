"""One side of a case of peers.py: trains or draws for some steps and prints images per second as JSON.

    python benchmarks/peers_sides.py CASE SIDE STEPS

The images are handwritten digits in ten classes, 30 of each, in colour.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import peers_loops as others
from peers_material import BATCH, CLASSES, SIDE, Clock, denoiser, digits, image_files


def train_genaug(name: str, steps: int) -> dict:
    """The paper preset of a generator, trained by genaug's loop."""
    from genaug.config import changed
    from genaug.data.split import TrainSplit
    from genaug.registry import load_registry, make_generator
    from genaug.spec import ImageSpec
    from genaug.training import resolve_precision, train

    images, _ = digits()
    split = TrainSplit(
        ImageSpec(3, SIDE, SIDE, ("all",), (len(images),)),
        images,
        np.zeros(len(images), dtype=np.int64),
        np.arange(len(images)),
        tuple(f"{number:03d}" for number in range(len(images))),
    )
    description = load_registry().generators.get(name)
    preset = description.presets["paper"](split.spec, "cpu")
    config = changed(preset.train, {"steps": steps, "warmup_steps": 0, "batch_size": BATCH[name]}, "train")
    clock = Clock()
    loss_of = {"dcgan": "generator", "vae": "autoencoder", "ddpm": "denoiser"}[name]
    train(
        make_generator(description, split.spec, preset.model),
        split,
        config,
        seed=0,
        precision=resolve_precision(config.precision, "cpu"),
        report=lambda progress: clock.tick(progress.losses[loss_of]),
    )
    return clock.speed(BATCH[name])


def dcgan_ten_genaug(steps: int) -> dict:
    """Ten models, trained and saved as `genaug run` does it: side by side, one thread each."""
    from genaug.data.input_types import load_any
    from genaug.executors import make_executor, silent
    from genaug.fitting import fit
    from genaug.registry import load_registry
    from genaug.run.config import RunConfig
    from genaug.run.job import default_workers, resolve
    from genaug.run.tasks import plan_tasks

    size = {"steps": steps, "batch_size": BATCH["dcgan-ten"]}
    config = RunConfig(
        generator="dcgan", preset="paper", train=size, augmentation={"pipeline": "none", "enlargement": 1}, per_class=1
    )
    job = resolve(config, load_any(digits(), None, (SIDE, SIDE), "auto"), load_registry())
    with tempfile.TemporaryDirectory() as folder:
        tasks = [task.fit for task in plan_tasks(job, Path(folder) / "models", Path(folder))]
        started = time.perf_counter()
        for outcome in make_executor(default_workers(job)).map(fit, tasks, silent):
            if outcome.error is not None:
                raise outcome.error
        return {"images_per_second": CLASSES * steps * BATCH["dcgan-ten"] / (time.perf_counter() - started)}


def sampling_genaug(_steps: int) -> dict:
    """The default sampler of `ddpm`, as `draw` calls it."""
    from genaug.fitting import ModelSampler, draw_chunk
    from genaug.registry import load_registry, make_generator
    from genaug.spec import ImageSpec
    from genaug.training import computing

    description = load_registry().generators.get("ddpm")
    spec = ImageSpec(3, 32, 32, ("all",), (16,))
    generator = make_generator(description, spec, description.presets["auto"](spec, "cpu").model)
    generator.networks = {"denoiser": denoiser()}
    sampler = ModelSampler(generator)
    with computing(None):
        draw_chunk(sampler, 0, 0, seed=0, name="ddpm")
        started = time.perf_counter()
        for number in range(1, 4):
            draw_chunk(sampler, 0, number, seed=0, name="ddpm")
        return {"images_per_second": 48 / (time.perf_counter() - started)}


def scan_genaug(_steps: int) -> dict:
    """Reading a folder: files are also hashed, checked and compared with each other."""
    from genaug.data.folder import load_folder

    with tempfile.TemporaryDirectory() as folder:
        path = image_files(folder)
        started = time.perf_counter()
        count = len(load_folder(path, size=(SIDE, SIDE)).train)
        return {"images_per_second": count / (time.perf_counter() - started)}


RUNS = {
    ("dcgan", "genaug"): lambda steps: train_genaug("dcgan", steps),
    ("dcgan", "plain"): others.dcgan_plain,
    ("dcgan-ten", "genaug"): dcgan_ten_genaug,
    ("dcgan-ten", "plain"): others.dcgan_ten_plain,
    ("vae", "genaug"): lambda steps: train_genaug("vae", steps),
    ("vae", "plain"): others.vae_plain,
    ("vae", "pythae"): others.vae_pythae,
    ("ddpm", "genaug"): lambda steps: train_genaug("ddpm", steps),
    ("ddpm", "plain"): others.ddpm_plain,
    ("ddpm", "denoising_diffusion"): others.ddpm_denoising_diffusion,
    ("sampling", "genaug"): sampling_genaug,
    ("sampling", "plain"): others.sampling_plain,
    ("scan", "genaug"): scan_genaug,
    ("scan", "plain"): others.scan_plain,
}

if __name__ == "__main__":
    print(json.dumps(RUNS[sys.argv[1], sys.argv[2]](int(sys.argv[3]))))
