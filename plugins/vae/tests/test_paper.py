"""The paper preset to the letter, checked layer by layer against the report, and what the default does better."""

import pytest
import torch
from genaug.chance import Noise, seeded
from genaug.config import changed
from genaug.errors import UsageError
from genaug.generator import Batch
from genaug.layers.reconstruction import kl_divergence, pyramid_distance, reconstruction
from genaug.registry import load_registry, make_generator
from genaug.spec import ImageSpec
from torch import nn
from torch.distributions import Normal
from torch.distributions import kl_divergence as reference_divergence

SPEC = ImageSpec(3, 64, 64, ("a",), (20,))


def made(preset="paper", spec=SPEC, **settings):
    description = load_registry().generators.get("vae")
    found = description.presets[preset](spec, "cpu")
    generator = make_generator(description, spec, changed(found.model, settings, "test"))
    with seeded(0, "build"):
        generator.networks = generator.build()
    return generator, found


def batch_for(generator, progress=0.5):
    shape = (4, generator.spec.channels, generator.spec.height, generator.spec.width)
    images = torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
    zeros = torch.zeros(4, dtype=torch.int64)
    return Batch(images, zeros, torch.arange(4), 0, progress, Noise.per_batch(0, "batch", 0, 4))


def layers(module, kind):
    return [layer for layer in module.modules() if isinstance(layer, kind)]


def test_the_encoder_is_the_reports():
    encoder = made()[0].networks["autoencoder"]["encoder"]
    block = ["Conv2d", "LeakyReLU", "BatchNorm2d"]
    assert [type(one).__name__ for one in encoder.body] == [*block * 6, "Flatten", "Linear", "SELU", "BatchNorm1d"]
    convolutions = layers(encoder, nn.Conv2d)
    assert [one.out_channels for one in convolutions] == [32, 64, 128, 256, 512, 1024]
    assert {(one.kernel_size, one.padding) for one in convolutions} == {((3, 3), (1, 1))}
    assert [one.stride[0] for one in convolutions] == [1, 2, 2, 2, 2, 2]
    assert {one.negative_slope for one in layers(encoder, nn.LeakyReLU)} == {0.02}
    assert [(one.in_features, one.out_features) for one in layers(encoder, nn.Linear)] == [
        (4096, 1024),
        (1024, 512),
        (1024, 512),
    ]


def test_the_decoder_is_the_reports():
    decoder = made()[0].networks["autoencoder"]["decoder"]
    block = ["ConvTranspose2d", "LeakyReLU", "BatchNorm2d"]
    expected = ["Linear", "SELU", "Unflatten", *block * 5, "ConvTranspose2d", "Sigmoid"]
    assert [type(one).__name__ for one in decoder] == expected
    transposed = layers(decoder, nn.ConvTranspose2d)
    assert [one.out_channels for one in transposed] == [512, 256, 128, 64, 32, 3]
    assert [one.stride[0] for one in transposed] == [2, 2, 2, 2, 2, 1]
    assert {(one.kernel_size, one.padding) for one in transposed} == {((3, 3), (1, 1))}
    (linear,) = layers(decoder, nn.Linear)
    assert (linear.in_features, linear.out_features) == (512, 4096)


def test_shapes_come_out_at_64_pixels():
    generator, _ = made()
    generator.networks["autoencoder"].eval()
    labels = torch.zeros(2, dtype=torch.int64)
    mean, log_variance = generator.encode(torch.zeros(2, 3, 64, 64), labels)
    assert mean.shape == log_variance.shape == (2, 512)
    images = generator.decode(mean, labels)
    assert images.shape == (2, 3, 64, 64)
    assert -1 <= images.min() <= images.max() <= 1


def test_the_training_is_the_reports():
    generator, preset = made()
    assert (preset.train.epochs, preset.train.steps) == (10_000, None)
    assert (preset.augmentation.pipeline, preset.augmentation.enlargement) == ("none", 1)
    assert (preset.model.latent, preset.model.reconstruction, preset.model.sampling) == (512, "bce", "prior")
    optimizer = generator.optimizer("autoencoder")
    assert type(optimizer) is torch.optim.Adam
    assert optimizer.defaults["lr"] == 1e-4


def test_samples_are_decoded_standard_normal_codes():
    generator, _ = made()
    generator.networks["autoencoder"].eval()
    labels = torch.zeros(2, dtype=torch.int64)
    noise = [Noise.per_image(0, "t", [(0,), (1,)]) for _ in range(2)]
    drawn = generator.sample(labels, noise[0])
    assert torch.equal(drawn.images, generator.decode(noise[1].normal(512), labels))
    assert drawn.parents.shape == (2, 0)


def test_another_size_is_refused_with_the_way_out():
    with pytest.raises(UsageError, match="--size 64"):
        made()[1].model.check(ImageSpec(3, 32, 32, ("a",), (9,)))


@pytest.mark.parametrize("kind", ["bce", "mse"])
def test_both_reconstructions_of_the_report_are_at_hand(kind):
    one, two = (torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(seed)) * 2 - 1 for seed in (0, 1))
    first, second = (one + 1) / 2, (two + 1) / 2
    each = -(second * first.log() + (1 - second) * (1 - first).log()) if kind == "bce" else (first - second).square()
    assert reconstruction(kind, one, two).item() == pytest.approx(each.sum().item() / 2, rel=1e-4)


def test_the_divergence_is_that_of_normal_distributions():
    mean, log_variance = torch.randn(5, 4), torch.randn(5, 4)
    expected = reference_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0)).sum(dim=1).mean()
    assert kl_divergence(mean, log_variance, 0.0).item() == pytest.approx(expected.item(), rel=1e-5)
    assert kl_divergence(torch.zeros(5, 4), torch.zeros(5, 4), 0.5).item() == pytest.approx(2.0)


def test_the_pyramid_is_zero_for_equal_images_alone_and_sees_edges():
    images = torch.zeros(1, 1, 32, 32)
    edge, shade = images.clone(), images.clone()
    edge[..., ::2] = 0.1
    edge[..., 1::2] = -0.1
    shade += 0.1
    assert pyramid_distance(images, images) == 0
    assert pyramid_distance(edge, images) > 0.5 * 32 * 32 * 0.1
    assert pyramid_distance(shade, images) > 0


def test_the_divergence_counts_nothing_at_first_and_all_after_the_warm_up():
    values = {}
    for progress in (0.0, 0.1, 0.2, 0.9):
        generator, _ = made("small", warmup=0.2, beta=10.0)
        ((_, loss),) = generator.losses(batch_for(generator, progress))
        values[progress] = loss.item()
    assert values[0.0] < values[0.1] < values[0.2] == values[0.9]


@pytest.mark.parametrize(("sampling", "parents"), [("posterior", 1), ("interpolation", 2)])
def test_samples_lean_on_real_images_and_say_on_which(sampling, parents):
    generator, _ = made("small", spec=ImageSpec(3, 16, 16, ("a",), (4,)), sampling=sampling, spread=0.0)
    generator.networks["autoencoder"].eval()
    batch = batch_for(generator)
    generator.memory = generator.remember(batch)
    labels = torch.zeros(8, dtype=torch.int64)
    drawn = generator.sample(labels, Noise.per_image(0, "t", [(i,) for i in range(8)]))
    assert drawn.parents.shape == (8, parents)
    assert len(drawn.parents.unique()) > 1
    assert all(len(set(mine)) == parents for mine in drawn.parents.tolist())  # nobody is mixed with himself
    if parents == 1:
        own = generator.decode(generator.memory["mean"][drawn.parents[:, 0]], labels)
        assert torch.allclose(drawn.images, own, atol=1e-5)


def test_the_papers_encoder_says_what_it_says():
    generator, _ = made()
    last = generator.networks["autoencoder"]["encoder"].log_variance
    nn.init.constant_(last.bias, -20.0)
    batch = batch_for(generator)
    assert generator.encode(batch.images, batch.labels)[1].max() < -15


@pytest.mark.parametrize(("height", "width"), [(16, 16), (24, 40), (104, 104), (256, 32)])
def test_compact_networks_fit_any_size(height, width):
    generator, _ = made("small", spec=ImageSpec(1, height, width, ("a",), (4,)), width=4)
    labels = torch.zeros(2, dtype=torch.int64)
    mean, _ = generator.encode(torch.zeros(2, 1, height, width), labels)
    assert generator.decode(mean, labels).shape == (2, 1, height, width)
