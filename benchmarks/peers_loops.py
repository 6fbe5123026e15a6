"""Sides of peers.py that are not ours: what a practitioner writes, pythae, denoising-diffusion-pytorch.

The plain loops have a DataLoader, the networks, the losses and the optimiser, in full precision.
"""

import tempfile
import time

import numpy as np
import torch
from peers_material import BATCH, CLASSES, SIDE, Clock, batches, denoiser, digits, image_files
from torch import nn
from torch.nn import functional as F


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


def scan_plain(_steps: int) -> dict:
    """ImageFolder, each image resized."""
    from torchvision.datasets import ImageFolder
    from torchvision.transforms import Resize

    with tempfile.TemporaryDirectory() as folder:
        path, resize = image_files(folder), Resize((SIDE, SIDE))
        started = time.perf_counter()
        data = ImageFolder(str(path), resize)
        count = len([np.asarray(data[row][0]) for row in range(len(data))])
        return {"images_per_second": count / (time.perf_counter() - started)}
