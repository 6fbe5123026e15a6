"""One side of a case of peers.py: trains or draws for some steps and prints images per second as JSON.

    python benchmarks/peers_sides.py CASE SIDE STEPS

The plain loops are what a practitioner writes: a DataLoader, the networks, the losses, the optimiser, full precision.
The images are handwritten digits in ten classes, 30 of each, in colour.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

SIDE, CLASSES, PER_CLASS = 64, 10, 30
WARM = 3
BATCH = {"dcgan": 32, "dcgan-ten": 30, "vae": 32, "ddpm": 16}


def digits(side: int = SIDE) -> tuple[np.ndarray, np.ndarray]:
    """uint8 [N, H, W, 3] and labels int64 [N], class by class."""
    from sklearn.datasets import load_digits

    found = load_digits()
    rows = np.concatenate([np.flatnonzero(found.target == label)[:PER_CLASS] for label in range(CLASSES)])
    small = torch.from_numpy(found.images[rows]).float()[:, None] / 16
    large = F.interpolate(small, size=(side, side), mode="bilinear").expand(-1, 3, -1, -1)
    return (large * 255).round().byte().permute(0, 2, 3, 1).contiguous().numpy(), found.target[rows].astype(np.int64)


class Clock:
    """Images per second after a few steps to warm up."""

    def __init__(self) -> None:
        self._marks: list[float] = []
        self.loss = 0.0

    def tick(self, loss: float = 0.0) -> None:
        """Call it after each step."""
        self._marks.append(time.perf_counter())
        self.loss = loss

    def speed(self, batch: int) -> dict[str, float]:
        """What is printed."""
        timed = self._marks[WARM:]
        return {"images_per_second": batch * (len(timed) - 1) / (timed[-1] - timed[0]), "loss": self.loss}


def batches(images: np.ndarray, batch: int):
    """Shuffled batches without end, as a DataLoader gives them: float [N, C, H, W] in [-1, 1]."""
    data = TensorDataset(torch.from_numpy(images).permute(0, 3, 1, 2).float() / 127.5 - 1)
    loader = DataLoader(data, batch, shuffle=True, drop_last=True)
    while True:
        for (found,) in loader:
            yield found


def dcgan_plain(steps: int) -> dict:
    """The DCGAN loop of PyTorch's tutorial."""
    clock = Clock()
    dcgan_loop(digits()[0], steps, BATCH["dcgan"], clock)
    return clock.speed(BATCH["dcgan"])


def dcgan_loop(images: np.ndarray, steps: int, batch: int, clock: Clock) -> None:
    """Train one DCGAN; the clock ticks after each step."""
    from genaug_dcgan.networks import PaperDiscriminator, PaperGenerator

    generator, discriminator = PaperGenerator(256, 3), PaperDiscriminator(3, 0.2)
    adam = [torch.optim.Adam(one.parameters(), lr=2e-4, betas=(0.5, 0.999)) for one in (generator, discriminator)]
    loss = nn.BCELoss()
    for _, real in zip(range(steps), batches(images, batch), strict=False):
        noise = torch.randn(len(real), 256, 1, 1)
        fake = generator(noise)
        discriminator.zero_grad()
        wrong = loss(discriminator(real).flatten(), 1 - 0.1 * torch.rand(len(real)))
        wrong = wrong + loss(discriminator(fake.detach()).flatten(), 0.1 * torch.rand(len(real)))
        wrong.backward()
        adam[1].step()
        generator.zero_grad()
        fooled = loss(discriminator(fake).flatten(), torch.ones(len(real)))
        fooled.backward()
        adam[0].step()
        clock.tick(fooled.item())


def dcgan_ten_plain(steps: int) -> dict:
    """Ten loops, one after the other."""
    images, labels = digits()
    started = time.perf_counter()
    for label in range(CLASSES):
        dcgan_loop(images[labels == label], steps, BATCH["dcgan-ten"], Clock())
    return {"images_per_second": CLASSES * steps * BATCH["dcgan-ten"] / (time.perf_counter() - started)}


def vae_plain(steps: int) -> dict:
    """Binary cross-entropy and KL divergence, Adam."""
    from genaug_vae.networks import PaperDecoder, PaperEncoder

    clock, encoder, decoder = Clock(), PaperEncoder(3, 512), PaperDecoder(512, 3)
    adam = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-4)
    for _, real in zip(range(steps), batches(digits()[0], BATCH["vae"]), strict=False):
        pixels = (real + 1) / 2
        mean, log_variance = encoder(pixels)
        found = decoder(mean + (0.5 * log_variance).exp() * torch.randn_like(mean))
        wrong = F.binary_cross_entropy(found, pixels, reduction="sum")
        divergence = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum()
        adam.zero_grad()
        loss = (wrong + divergence) / pixels.numel()
        loss.backward()
        adam.step()
        clock.tick(loss.item())
    return clock.speed(BATCH["vae"])


def vae_pythae(steps: int) -> dict:
    """Pythae's VAE and BaseTrainer with the same networks."""
    from genaug_vae.networks import PaperDecoder, PaperEncoder
    from pythae.data.datasets import BaseDataset
    from pythae.models import VAE, VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.trainers import BaseTrainer, BaseTrainerConfig
    from pythae.trainers.training_callbacks import TrainingCallback

    clock = Clock()

    class Encoder(BaseEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.body = PaperEncoder(3, 512)

        def forward(self, images):
            mean, log_variance = self.body(images)
            return ModelOutput(embedding=mean, log_covariance=log_variance)

    class Decoder(BaseDecoder):
        def __init__(self) -> None:
            super().__init__()
            self.body = PaperDecoder(512, 3)

        def forward(self, codes):
            return ModelOutput(reconstruction=self.body(codes))

    class Ticks(TrainingCallback):
        def on_train_step_end(self, training_config, **kwargs) -> None:
            clock.tick()

    pixels = torch.from_numpy(digits()[0]).permute(0, 3, 1, 2).float() / 255
    pixels = pixels[: len(pixels) // BATCH["vae"] * BATCH["vae"]]
    data = BaseDataset(pixels, torch.zeros(len(pixels)))
    model = VAE(VAEConfig(input_dim=(3, SIDE, SIDE), latent_dim=512, reconstruction_loss="bce"), Encoder(), Decoder())
    with tempfile.TemporaryDirectory() as folder:
        config = BaseTrainerConfig(
            output_dir=folder,
            num_epochs=-(-steps // (len(pixels) // BATCH["vae"])),
            per_device_train_batch_size=BATCH["vae"],
            learning_rate=1e-4,
            no_cuda=True,
        )
        BaseTrainer(model, data, training_config=config, callbacks=[Ticks()]).train()
    return {"images_per_second": clock.speed(BATCH["vae"])["images_per_second"]}


def ddpm_plain(steps: int) -> dict:
    """The training loop of diffusers' documentation."""
    from diffusers import DDPMScheduler
    from genaug_ddpm.networks import paper_network

    clock, network, scheduler = Clock(), paper_network(3, 0), DDPMScheduler(1000)
    adamw = torch.optim.AdamW(network.parameters(), lr=1e-4)
    for _, real in zip(range(steps), batches(digits()[0], BATCH["ddpm"]), strict=False):
        noise, times = torch.randn_like(real), torch.randint(0, 1000, (len(real),))
        loss = F.mse_loss(network(scheduler.add_noise(real, noise, times), times).sample, noise)
        adamw.zero_grad()
        loss.backward()
        adamw.step()
        clock.tick(loss.item())
    return clock.speed(BATCH["ddpm"])


def ddpm_denoising_diffusion(steps: int) -> dict:
    """Trainer and GaussianDiffusion of denoising-diffusion-pytorch with the same network."""
    from denoising_diffusion_pytorch import GaussianDiffusion, Trainer
    from genaug_ddpm.networks import paper_network
    from PIL import Image

    clock = Clock()

    class Network(nn.Module):
        channels = out_dim = 3
        self_condition = random_or_learned_sinusoidal_cond = False

        def __init__(self) -> None:
            super().__init__()
            self.body = paper_network(3, 0)

        def forward(self, noisy, times, condition=None):
            clock.tick()
            return self.body(noisy, times).sample

    with tempfile.TemporaryDirectory() as folder:
        for number, image in enumerate(digits()[0]):
            Image.fromarray(image).save(f"{folder}/{number:03d}.png")
        diffusion = GaussianDiffusion(Network(), image_size=SIDE, timesteps=1000, objective="pred_noise")
        Trainer(
            diffusion,
            folder,
            train_batch_size=BATCH["ddpm"],
            train_num_steps=steps,
            save_and_sample_every=10**9,
            results_folder=f"{folder}/results",
            calculate_fid=False,
            augment_horizontal_flip=False,
        ).train()
    return {"images_per_second": clock.speed(BATCH["ddpm"])["images_per_second"]}


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


def denoiser():
    """An untrained denoiser for 32 pixels, which both samplers use."""
    from genaug_ddpm.networks import CompactNetwork

    torch.manual_seed(0)
    return CompactNetwork((3, 32, 32), 48, 2, 0)


def sampling_plain(_steps: int) -> dict:
    """DDPMPipeline's loop of 1000 steps, measured on 100 of them."""
    from diffusers import DDPMScheduler

    scheduler, images, body = DDPMScheduler(1000), torch.randn(16, 3, 32, 32), denoiser().eval()
    scheduler.set_timesteps(1000)
    started = time.perf_counter()
    with torch.no_grad():
        for moment in scheduler.timesteps[:100]:
            images = scheduler.step(body(images, moment.expand(16)), moment, images).prev_sample
    return {"images_per_second": 16 / (time.perf_counter() - started) / 10}


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


def _files(folder: str) -> Path:
    from PIL import Image

    images, labels = digits(128)
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = Path(folder) / "data" / str(label)
        path.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path / f"{number:03d}.jpg")
    return Path(folder) / "data"


def scan_plain(_steps: int) -> dict:
    """ImageFolder, each image resized."""
    from torchvision.datasets import ImageFolder
    from torchvision.transforms import Resize

    with tempfile.TemporaryDirectory() as folder:
        path, resize = _files(folder), Resize((SIDE, SIDE))
        started = time.perf_counter()
        data = ImageFolder(str(path), resize)
        count = len([np.asarray(data[row][0]) for row in range(len(data))])
        return {"images_per_second": count / (time.perf_counter() - started)}


def scan_genaug(_steps: int) -> dict:
    """Reading a folder: files are also hashed, checked and compared with each other."""
    from genaug.data.folder import load_folder

    with tempfile.TemporaryDirectory() as folder:
        path = _files(folder)
        started = time.perf_counter()
        count = len(load_folder(path, size=(SIDE, SIDE)).train)
        return {"images_per_second": count / (time.perf_counter() - started)}


RUNS = {
    ("dcgan", "genaug"): lambda steps: train_genaug("dcgan", steps),
    ("dcgan", "plain"): dcgan_plain,
    ("dcgan-ten", "genaug"): dcgan_ten_genaug,
    ("dcgan-ten", "plain"): dcgan_ten_plain,
    ("vae", "genaug"): lambda steps: train_genaug("vae", steps),
    ("vae", "plain"): vae_plain,
    ("vae", "pythae"): vae_pythae,
    ("ddpm", "genaug"): lambda steps: train_genaug("ddpm", steps),
    ("ddpm", "plain"): ddpm_plain,
    ("ddpm", "denoising_diffusion"): ddpm_denoising_diffusion,
    ("sampling", "genaug"): sampling_genaug,
    ("sampling", "plain"): sampling_plain,
    ("scan", "genaug"): scan_genaug,
    ("scan", "plain"): scan_plain,
}

if __name__ == "__main__":
    print(json.dumps(RUNS[sys.argv[1], sys.argv[2]](int(sys.argv[3]))))
