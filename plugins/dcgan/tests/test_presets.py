"""The presets auto and small: bounded cost, any size, and the effect of each setting."""

import numpy as np
import pytest
import torch
from genaug.chance import Noise, seeded
from genaug.config import changed
from genaug.generator import Batch
from genaug.registry import load_registry, make_generator
from genaug.spec import ImageSpec


def spec(size, counts=(20, 10)):
    return ImageSpec(3, size, size, tuple(f"class {label}" for label in range(len(counts))), counts)


def create(name, size=16, **settings):
    description = load_registry().generators.get(name)
    here = spec(size) if name == "cdcgan" else spec(size, (20,))
    model = changed(description.presets["small"](here, "cpu").model, {"width": 4, "latent": 4, **settings}, "test")
    generator = make_generator(description, here, model)
    with seeded(0, "build"):
        generator.networks = generator.build()
    return generator


def batch_for(generator, step=0):
    pixels = np.random.default_rng(0).uniform(-1, 1, (6, 3, generator.spec.height, generator.spec.width))
    labels = torch.arange(6) % len(generator.spec.classes)
    images = torch.from_numpy(pixels).float()
    return Batch(images, labels, torch.arange(6), step, 0.0, Noise.per_batch(0, "batch", step, 6))


def losses(generator, step=0):
    return {name: loss.item() for name, loss in generator.losses(batch_for(generator, step))}


@pytest.mark.parametrize("name", ["dcgan", "cdcgan"])
def test_larger_images_get_fewer_steps_on_a_cpu_so_that_the_cost_stays_bounded(name):
    auto = load_registry().generators.get(name).presets["auto"]
    pixels = {size: auto(spec(size), "cpu").train.steps * size * size for size in (64, 96, 128)}
    assert max(pixels.values()) <= 1.01 * min(pixels.values())
    assert auto(spec(256), "cpu").train.steps == 300  # below which nothing is learnt at any size
    assert auto(spec(64), "cuda").train.steps > auto(spec(64), "cpu").train.steps


@pytest.mark.parametrize("name", ["dcgan", "cdcgan"])
def test_presets_are_functions_of_the_data_and_the_device_alone(name):
    for make in load_registry().generators.get(name).presets.values():
        assert make(spec(64), "cpu") == make(spec(64), "cpu")


@pytest.mark.parametrize("size", [16, 24, 40, 64, 104])
def test_compact_networks_fit_any_size(size):
    generator = create("cdcgan", size)
    images = generator.draw(torch.zeros(2, 4), torch.tensor([0, 1]))
    assert images.shape == (2, 3, size, size)
    assert generator.judge(images, torch.tensor([0, 1])).shape == (2,)


def test_mode_seeking_counts_in_the_generators_loss_alone():
    without, within = losses(create("cdcgan", mode_seeking=0.0)), losses(create("cdcgan", mode_seeking=1.0))
    assert within["discriminator"] == without["discriminator"]
    assert within["generator"] > without["generator"]


def test_the_gradient_penalty_counts_every_fourth_step():
    for step, counts in ((0, True), (1, False), (3, False), (4, True)):
        without, within = (losses(create("cdcgan", gradient_penalty=w), step)["discriminator"] for w in (0.0, 10.0))
        assert (within > without) is counts


def test_the_penalty_is_half_the_squared_gradient_at_real_images():
    generator = create("cdcgan", gradient_penalty=1.0, differentiable=())
    plain = create("cdcgan", gradient_penalty=0.0, differentiable=())
    batch = batch_for(generator)
    images = batch.images.clone().requires_grad_()
    with seeded(1, "dropout"):
        generator.judge(images, batch.labels).sum().backward()
    expected = 4 * 0.5 * images.grad.square().sum(dim=(1, 2, 3)).mean().item()
    found = losses(generator)["discriminator"] - losses(plain)["discriminator"]
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-6)


def test_label_noise_moves_the_discriminators_loss():
    assert losses(create("dcgan", label_noise=0.3))["discriminator"] != losses(create("dcgan"))["discriminator"]


def test_the_class_steers_the_images():
    generator = create("cdcgan")
    codes = torch.zeros(1, 4)
    one, two = (generator.draw(codes, torch.tensor([label])) for label in (0, 1))
    assert not torch.allclose(one, two)
