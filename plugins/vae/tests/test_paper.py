"""The paper preset has the networks and the training of the paper (docs/paper.md); the other presets do as they say."""

import pytest
import torch
from genaug.chance import Noise, seeded
from genaug.config import changed
from genaug.errors import UsageError
from genaug.generator import Batch
from genaug.registry import load_registry, make_generator
from genaug.spec import ImageSpec
from genaug_vae.objective import kl_divergence, pyramid_distance, reconstruction
from torch import nn
from torch.distributions import Normal
from torch.distributions import kl_divergence as reference_divergence

SPEC = ImageSpec(3, 64, 64, ("a",), (20,))


def create(preset="paper", spec=SPEC, **settings):
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


def test_the_encoder_is_that_of_the_paper():
    encoder = create()[0].networks["autoencoder"]["encoder"]
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


def test_the_decoder_is_that_of_the_paper():
    decoder = create()[0].networks["autoencoder"]["decoder"]
    block = ["ConvTranspose2d", "LeakyReLU", "BatchNorm2d"]
    expected = ["Linear", "SELU", "Unflatten", *block * 5, "ConvTranspose2d", "Sigmoid"]
    assert [type(one).__name__ for one in decoder] == expected
    transposed = layers(decoder, nn.ConvTranspose2d)
    assert [one.out_channels for one in transposed] == [512, 256, 128, 64, 32, 3]
    assert [one.stride[0] for one in transposed] == [2, 2, 2, 2, 2, 1]
    assert {(one.kernel_size, one.padding) for one in transposed} == {((3, 3), (1, 1))}
    (linear,) = layers(decoder, nn.Linear)
    assert (linear.in_features, linear.out_features) == (512, 4096)


def test_codes_and_images_have_the_right_shapes_at_64_pixels():
    generator, _ = create()
    generator.networks["autoencoder"].eval()
    labels = torch.zeros(2, dtype=torch.int64)
    mean, log_variance = generator.encode(torch.zeros(2, 3, 64, 64), labels)
    assert mean.shape == log_variance.shape == (2, 512)
    images = generator.decode(mean, labels)
    assert images.shape == (2, 3, 64, 64)
    assert -1 <= images.min() <= images.max() <= 1


def test_the_training_is_that_of_the_paper():
    generator, preset = create()
    assert (preset.train.epochs, preset.train.steps) == (10_000, None)
    assert (preset.augmentation.pipeline, preset.augmentation.enlargement) == ("none", 1)
    assert (preset.model.latent, preset.model.reconstruction, preset.model.sampling) == (512, "bce", "prior")
    optimizer = generator.optimizer("autoencoder")
    assert type(optimizer) is torch.optim.Adam
    assert optimizer.defaults["lr"] == 1e-4


def test_samples_are_decoded_standard_normal_codes():
    generator, _ = create()
    generator.networks["autoencoder"].eval()
    labels = torch.zeros(2, dtype=torch.int64)
    noise = [Noise.per_image(0, "t", [(0,), (1,)]) for _ in range(2)]
    drawn = generator.sample(labels, noise[0])
    assert torch.equal(drawn.images, generator.decode(noise[1].normal(512), labels))
    assert drawn.parents.shape == (2, 0)


def test_another_size_is_refused_and_the_message_says_what_to_do():
    with pytest.raises(UsageError, match="--size 64"):
        create()[1].model.check(ImageSpec(3, 32, 32, ("a",), (9,)))


@pytest.mark.parametrize("kind", ["bce", "mse"])
def test_both_reconstruction_errors_of_the_paper_exist(kind):
    one, two = (torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(seed)) * 2 - 1 for seed in (0, 1))
    first, second = (one + 1) / 2, (two + 1) / 2
    each = -(second * first.log() + (1 - second) * (1 - first).log()) if kind == "bce" else (first - second).square()
    assert reconstruction(kind, one, two).item() == pytest.approx(each.sum().item() / 2, rel=1e-4)


def test_the_divergence_is_that_of_normal_distributions():
    mean, log_variance = torch.randn(5, 4), torch.randn(5, 4)
    expected = reference_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0)).sum(dim=1).mean()
    assert kl_divergence(mean, log_variance, 0.0).item() == pytest.approx(expected.item(), rel=1e-5)
    assert kl_divergence(torch.zeros(5, 4), torch.zeros(5, 4), 0.5).item() == pytest.approx(2.0)


def test_the_pyramid_distance_is_zero_only_for_equal_images_and_sees_edges():
    images = torch.zeros(1, 1, 32, 32)
    edge, shade = images.clone(), images.clone()
    edge[..., ::2] = 0.1
    edge[..., 1::2] = -0.1
    shade += 0.1
    assert pyramid_distance(images, images) == 0
    assert pyramid_distance(edge, images) > 0.5 * 32 * 32 * 0.1
    assert pyramid_distance(shade, images) > 0


def test_the_weight_of_the_divergence_rises_from_zero_during_the_warm_up():
    values = {}
    for progress in (0.0, 0.1, 0.2, 0.9):
        generator, _ = create("small", warmup=0.2, beta=10.0)
        ((_, loss),) = generator.losses(batch_for(generator, progress))
        values[progress] = loss.item()
    assert values[0.0] < values[0.1] < values[0.2] == values[0.9]


@pytest.mark.parametrize(("sampling", "parents"), [("posterior", 1), ("interpolation", 2)])
def test_samples_near_training_images_have_them_as_parents(sampling, parents):
    generator, _ = create("small", spec=ImageSpec(3, 16, 16, ("a",), (4,)), sampling=sampling, spread=0.0)
    generator.networks["autoencoder"].eval()
    batch = batch_for(generator)
    generator.memory = generator.remember(batch)
    labels = torch.zeros(8, dtype=torch.int64)
    drawn = generator.sample(labels, Noise.per_image(0, "t", [(i,) for i in range(8)]))
    assert drawn.parents.shape == (8, parents)
    assert len(drawn.parents.unique()) > 1
    assert all(len(set(mine)) == parents for mine in drawn.parents.tolist())  # two different images
    if parents == 1:
        own = generator.decode(generator.memory["mean"][drawn.parents[:, 0]], labels)
        assert torch.allclose(drawn.images, own, atol=1e-5)


def test_log_variances_of_the_paper_network_are_not_clamped():
    generator, _ = create()
    last = generator.networks["autoencoder"]["encoder"].log_variance
    nn.init.constant_(last.bias, -20.0)
    batch = batch_for(generator)
    assert generator.encode(batch.images, batch.labels)[1].max() < -15


@pytest.mark.parametrize(("height", "width"), [(16, 16), (24, 40), (104, 104), (256, 32)])
def test_compact_networks_fit_any_size(height, width):
    generator, _ = create("small", spec=ImageSpec(1, height, width, ("a",), (4,)), width=4)
    labels = torch.zeros(2, dtype=torch.int64)
    mean, _ = generator.encode(torch.zeros(2, 1, height, width), labels)
    assert generator.decode(mean, labels).shape == (2, 1, height, width)


@pytest.mark.parametrize(("preset", "settings"), [("paper", {"optimizer": "muon"}), ("small", {"optimizer": "muon"})])
def test_muon_moves_all_convolutions_but_the_one_to_the_image(preset, settings):
    generator, _ = create(preset, **settings)
    orthogonal, others = generator.optimizer("autoencoder").param_groups
    *before, to_image = layers(generator.networks["autoencoder"], nn.Conv2d | nn.ConvTranspose2d)
    assert {id(one) for one in orthogonal["params"]} == {id(layer.weight) for layer in before}
    assert id(to_image.weight) in {id(one) for one in others["params"]}
