"""The paper preset has the network, noise schedule and training of the paper (docs/paper.md)."""

import pytest
import torch
from diffusers import UNet2DModel
from genaug.chance import Noise, seeded
from genaug.config import changed
from genaug.errors import UsageError
from genaug.generator import Batch
from genaug.registry import load_registry, make_generator
from genaug.spec import ImageSpec
from genaug_ddpm.histogram import histogram_distance
from genaug_ddpm.networks import paper_network
from torch import nn

SPEC = ImageSpec(3, 64, 64, ("a",), (20,))


def preset(device="cpu", spec=SPEC, name="ddpm"):
    return load_registry().generators.get(name).presets["paper"](spec, device)


def test_the_network_is_that_of_the_paper():
    network = paper_network(3, 0)
    assert type(network) is UNet2DModel
    config = network.config
    assert (config.sample_size, config.in_channels, config.out_channels, config.layers_per_block) == (64, 3, 3, 2)
    assert tuple(config.block_out_channels) == (64, 64, 128, 128, 256, 256)
    assert tuple(config.down_block_types) == (*("DownBlock2D",) * 4, "AttnDownBlock2D", "DownBlock2D")
    assert tuple(config.up_block_types) == ("UpBlock2D", "AttnUpBlock2D", *("UpBlock2D",) * 4)
    assert sum(parameter.numel() for parameter in network.parameters()) / 1e6 == pytest.approx(28.4, abs=0.05)


def test_the_training_is_that_of_the_paper():
    found = preset("cuda")
    assert (found.train.epochs, found.train.schedule, found.train.warmup_steps) == (500, "cosine", 500)
    assert found.train.precision == "fp16"
    assert preset("cpu").train.precision == "auto"
    assert (found.augmentation.pipeline, found.augmentation.enlargement) == ("paper", 3)
    assert (found.model.timesteps, found.model.prediction, found.model.noise_schedule) == (1000, "noise", "linear")
    assert (found.model.min_snr, found.model.colour_histogram, found.model.sampler) == (0.0, 0.0, "ancestral")
    assert found.model.sampling_steps == 1000


def test_the_optimiser_is_that_of_the_paper():
    spec = ImageSpec(3, 16, 16, ("a",), (4,))
    description = load_registry().generators.get("ddpm")
    of_paper = {key: getattr(preset().model, key) for key in ("optimizer", "learning_rate")}
    model = changed(description.presets["small"](spec, "cpu").model, {**of_paper, "width": 8}, "test")
    generator = make_generator(description, spec, model)
    generator.networks = generator.build()
    optimizer = generator.optimizer("denoiser")
    assert type(optimizer) is torch.optim.AdamW
    assert optimizer.defaults["lr"] == 1e-4


def test_muon_moves_all_convolutions_but_the_first_and_the_last():
    spec = ImageSpec(3, 16, 16, ("a",), (4,))
    description = load_registry().generators.get("ddpm")
    model = changed(description.presets["small"](spec, "cpu").model, {"width": 8}, "test")
    generator = make_generator(description, spec, model)
    generator.networks = generator.build()
    convolutions = [part for part in generator.networks["denoiser"].modules() if isinstance(part, nn.Conv2d)]
    orthogonal = generator.optimizer("denoiser").param_groups[0]["params"]
    assert {id(weight) for weight in orthogonal} == {id(part.weight) for part in convolutions} - {
        id(generator.networks["denoiser"].body.conv_in.weight),
        id(generator.networks["denoiser"].body.conv_out.weight),
    }
    assert len(orthogonal) == len(convolutions) - 2


def test_the_loss_is_the_squared_error_on_the_noise():
    spec = ImageSpec(3, 16, 16, ("a",), (4,))
    description = load_registry().generators.get("ddpm")
    model = changed(preset().model, {"network": "compact", "width": 8, "patch": 1}, "test")
    generator = make_generator(description, spec, model)
    with seeded(0, "build"):
        generator.networks = generator.build()
    images, zeros = torch.zeros(4, 3, 16, 16), torch.zeros(4, dtype=torch.int64)
    noise = [Noise.per_batch(0, "batch", 0, 4) for _ in range(2)]
    ((_, loss),) = generator.losses(Batch(images, zeros, zeros, 0, 0.0, noise[0]))
    times, added = (noise[1].uniform() * 1000).long(), noise[1].normal(3, 16, 16)
    betas = torch.linspace(1e-4, 0.02, 1000)
    kept = (1 - betas).cumprod(0)[times][:, None, None, None]
    noisy = kept.sqrt() * images + (1 - kept).sqrt() * added
    expected = (generator.predict(noisy, times, zeros) - added).square().mean()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("name", ["ddpm", "cddpm"])
def test_another_size_is_refused_and_the_message_says_what_to_do(name):
    with pytest.raises(UsageError, match="--size 64"):
        preset(name=name).model.check(ImageSpec(3, 32, 32, ("a",), (9,)))


def test_the_histogram_sees_colours_and_not_places():
    images = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert histogram_distance(images, images.flip(2)).item() == pytest.approx(0.0, abs=1e-5)
    assert histogram_distance(images, images * 0.2) > 0.5
    dark, light = torch.full((1, 1, 4, 4), -1.0), torch.full((1, 1, 4, 4), 1.0)
    assert histogram_distance(dark, light).item() == pytest.approx(2.0)
