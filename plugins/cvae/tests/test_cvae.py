"""What cvae adds to vae: networks conditioned on the class, and styles from images of other classes."""

import pytest
import torch
from genaug.chance import Noise, seeded
from genaug.config import changed
from genaug.errors import UsageError
from genaug.generator import Batch
from genaug.registry import load_registry, make_generator
from genaug.spec import ImageSpec

SPEC = ImageSpec(3, 16, 16, ("a", "b", "c"), (20, 10, 2))


def create(preset="small", spec=SPEC, **settings):
    description = load_registry().generators.get("cvae")
    model = changed(description.presets[preset](spec, "cpu").model, settings, "test")
    generator = make_generator(description, spec, model)
    with seeded(0, "build"):
        generator.networks = generator.build()
    generator.networks["autoencoder"].eval()
    return generator


def create_with_memory(**settings):
    generator = create(spread=0.0, **settings)
    labels = torch.tensor([0] * 6 + [1] * 3 + [2])
    images = torch.rand(10, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    noise = Noise.per_batch(0, "memory", 0, 10)
    with torch.no_grad():
        generator.memory = generator.remember(Batch(images, labels, torch.arange(10), 0, 0.0, noise))
    return generator, labels


def drawn_from(generator, label, count=60):
    with torch.no_grad():
        noise = Noise.per_image(0, "t", [(i,) for i in range(count)])
        return generator.sample(torch.full((count,), label), noise)


def test_the_paper_preset_conditions_both_networks_on_the_class():
    generator = create("paper", ImageSpec(3, 64, 64, ("a", "b", "c"), (20, 10, 2)))
    network = generator.networks["autoencoder"]
    assert network["encoder"].body[0].in_channels == 3 + 3
    assert network["decoder"][0].in_features == 512 + 3
    codes = torch.zeros(2, 512)
    one, two = (generator.decode(codes, torch.tensor([label] * 2)) for label in (0, 1))
    assert one.shape == (2, 3, 64, 64)
    assert not torch.equal(one, two)
    with pytest.raises(UsageError, match="--size 64"):
        generator.config.check(SPEC)


def test_without_borrowing_styles_come_from_the_wanted_class():
    generator, labels = create_with_memory(borrowed=0.0)
    assert set(labels[drawn_from(generator, 2).parents.flatten()].tolist()) == {2}


def test_borrowed_styles_come_from_every_class_by_its_size():
    generator, labels = create_with_memory(borrowed=1.0)
    sources = labels[drawn_from(generator, 2, 400).parents[:, 0]]
    shares = sources.bincount(minlength=3) / len(sources)
    assert shares.tolist() == pytest.approx([0.6, 0.3, 0.1], abs=0.08)


def test_a_share_of_styles_is_borrowed():
    generator, labels = create_with_memory(borrowed=0.5)
    own = (labels[drawn_from(generator, 2, 400).parents[:, 0]] == 2).double().mean().item()
    assert own == pytest.approx(0.5 + 0.5 * 0.1, abs=0.07)


def test_a_style_is_decoded_as_the_wanted_class():
    generator, _ = create_with_memory(borrowed=1.0, sampling="posterior")
    drawn = drawn_from(generator, 2, 5)
    codes = generator.memory["mean"][drawn.parents[:, 0]]
    with torch.no_grad():
        expected = generator.decode(codes, torch.full((5,), 2))
    assert torch.allclose(drawn.images, expected, atol=1e-5)


def test_a_class_without_a_training_image_borrows_all_its_styles():
    generator, labels = create_with_memory(borrowed=0.0)
    generator.memory = {name: tensor[:9] for name, tensor in generator.memory.items()}
    assert set(labels[drawn_from(generator, 2).parents.flatten()].tolist()) == {0, 1}
