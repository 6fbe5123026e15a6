"""The paper preset has the networks and the training of the paper (docs/paper.md), layer by layer."""

import pytest
import torch
from genaug.chance import Noise, seeded
from genaug.config import changed
from genaug.errors import UsageError
from genaug.generator import Batch
from genaug.registry import load_registry, make_generator
from genaug.spec import ImageSpec
from torch import nn

SPEC = ImageSpec(3, 64, 64, ("a", "b", "c"), (20, 10, 8))


def paper(name, spec=SPEC):
    description = load_registry().generators.get(name)
    preset = description.presets["paper"](spec, "cpu")
    generator = make_generator(description, spec, preset.model)
    with seeded(0, "build"):
        generator.networks = generator.build()
    return generator, preset


def kinds(network):
    return [type(layer).__name__ for layer in network]


def test_the_generator_has_five_transposed_convolutions_with_batch_norm_and_relu_then_tanh():
    network = paper("dcgan")[0].networks["generator"]
    assert kinds(network) == ["ConvTranspose2d", "BatchNorm2d", "ReLU"] * 4 + ["ConvTranspose2d", "Tanh"]
    layers = [layer for layer in network if isinstance(layer, nn.ConvTranspose2d)]
    assert [layer.in_channels for layer in layers] == [256, 512, 256, 128, 64]
    assert [layer.out_channels for layer in layers] == [512, 256, 128, 64, 3]


def test_the_discriminator_has_five_convolutions_with_leaky_relu_and_dropout_then_sigmoid():
    network = paper("dcgan")[0].networks["discriminator"]
    block = ["Conv2d", "BatchNorm2d", "LeakyReLU", "Dropout"]
    assert kinds(network) == ["Conv2d", "LeakyReLU", "Dropout", *block * 3, "Conv2d", "Sigmoid"]
    assert [layer.out_channels for layer in network if isinstance(layer, nn.Conv2d)] == [64, 128, 256, 512, 1]
    assert {layer.p for layer in network if isinstance(layer, nn.Dropout)} == {0.2}


@pytest.mark.parametrize("name", ["dcgan", "cdcgan"])
def test_images_and_scores_have_the_right_shapes_at_64_pixels(name):
    generator, _ = paper(name)
    labels = torch.tensor([0, 0]) if name == "dcgan" else torch.tensor([0, 2])
    images = generator.draw(torch.zeros(2, 256), labels)
    assert images.shape == (2, 3, 64, 64)
    scores = generator.judge(images, labels)
    assert scores.shape == (2,)
    assert bool(((scores > 0) & (scores < 1)).all())


@pytest.mark.parametrize("name", ["generator", "discriminator"])
def test_weights_start_as_in_the_paper(name):
    layers = list(paper("dcgan")[0].networks[name].modules())
    convolutions = torch.cat([m.weight.flatten() for m in layers if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)])
    norms = torch.cat([m.weight for m in layers if isinstance(m, nn.BatchNorm2d)])
    assert abs(convolutions.mean().item()) < 1e-3
    assert convolutions.std().item() == pytest.approx(0.02, rel=0.02)
    assert norms.mean().item() == pytest.approx(1.0, abs=0.005)
    assert norms.std().item() == pytest.approx(0.02, rel=0.2)


@pytest.mark.parametrize("name", ["generator", "discriminator"])
def test_adam_has_the_rates_of_the_paper(name):
    optimizer = paper("dcgan")[0].optimizer(name)
    assert type(optimizer) is torch.optim.Adam
    assert optimizer.defaults["lr"] == 2e-4
    assert optimizer.defaults["betas"] == (0.5, 0.999)


@pytest.mark.parametrize("name", ["dcgan", "cdcgan"])
def test_the_training_is_that_of_the_paper(name):
    preset = paper(name)[1]
    assert (preset.train.epochs, preset.train.steps) == (10_000, None)
    assert preset.train.average_decay == 0.0
    assert (preset.augmentation.pipeline, preset.augmentation.enlargement) == ("paper", 3)
    assert preset.model.latent == 256
    assert preset.model.label_noise > 0
    assert (preset.model.differentiable, preset.model.gradient_penalty, preset.model.mode_seeking) == ((), 0.0, 0.0)


def test_the_loss_of_the_generator_is_binary_cross_entropy():
    generator, _ = paper("dcgan", SPEC.only(0))
    generator.config = changed(generator.config, {"dropout": 0.0}, "test")
    generator.networks["discriminator"].eval()
    noise = Noise.per_batch(0, "batch", 0, 4)
    labels = torch.zeros(4, dtype=torch.int64)
    batch = Batch(torch.zeros(4, 3, 64, 64), labels, labels, 0, 0.0, noise)
    codes = Noise.per_batch(0, "batch", 0, 4).normal(256)
    values = {name: loss.item() for name, loss in generator.losses(batch)}
    probabilities = generator.judge(generator.draw(codes, labels), labels)
    assert values["generator"] == pytest.approx(-probabilities.log().mean().item(), rel=1e-4)


def test_another_size_is_refused_and_the_message_says_what_to_do():
    with pytest.raises(UsageError, match="--size 64"):
        paper("dcgan")[1].model.check(ImageSpec(3, 32, 32, ("a",), (9,)))
