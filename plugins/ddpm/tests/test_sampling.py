"""Samplers, guidance, and images that start from training images."""

from dataclasses import replace

import pytest
import torch
from genaug.chance import Noise, seeded
from genaug.config import changed
from genaug.errors import UsageError
from genaug.generator import Batch
from genaug.registry import load_registry, make_generator
from genaug.spec import ImageSpec
from genaug_ddpm.networks import CompactNetwork

SPEC = ImageSpec(1, 16, 16, ("a", "b"), (6, 3))


def create(name="cddpm", **settings):
    description = load_registry().generators.get(name)
    spec = SPEC if name == "cddpm" else SPEC.only(0)
    model = changed(description.presets["small"](spec, "cpu").model, {"width": 8, "sampling_steps": 4, **settings}, "t")
    generator = make_generator(description, spec, model)
    with seeded(0, "build"):
        generator.networks = generator.build()
    generator.networks["denoiser"].eval()
    return generator


def batch():
    labels = torch.tensor([0] * 6 + [1] * 3)
    images = torch.rand(9, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return Batch(images, labels, torch.arange(9), 0, 0.0, Noise.per_batch(0, "batch", 0, 9))


def drawn(generator, labels=(0, 1, 1, 0)):
    with torch.no_grad():
        return generator.sample(torch.tensor(labels), Noise.per_image(0, "t", [(i,) for i in range(len(labels))]))


def perfect(generator, target):
    """Replace the network by one that predicts that every image is `target`."""

    def predict(noisy, times, labels):
        kept = generator._schedule.alphas_cumprod[times][:, None, None, None]
        noise = (noisy - kept.sqrt() * target) / (1 - kept).sqrt()
        if generator.config.prediction == "sample":
            return target.expand_as(noisy)
        if generator.config.prediction == "noise":
            return noise
        return kept.sqrt() * noise - (1 - kept).sqrt() * target

    generator.predict = predict
    return generator


@pytest.mark.parametrize("prediction", ["noise", "velocity", "sample"])
@pytest.mark.parametrize(
    ("sampler", "steps"), [("sde-dpm-solver++", 20), ("dpm-solver++", 20), ("ddim", 20), ("ancestral", 100)]
)
def test_every_sampler_finds_the_image_that_a_perfect_network_predicts(sampler, steps, prediction):
    target = torch.linspace(-0.9, 0.9, 256).reshape(1, 1, 16, 16)
    settings = {"sampler": sampler, "sampling_steps": steps, "prediction": prediction}
    generator = create(**settings, timesteps=100, noise_schedule="linear")
    images = drawn(perfect(generator, target)).images
    assert (images - target).abs().max() < 0.05


@pytest.mark.parametrize("prediction", ["noise", "velocity", "sample"])
@pytest.mark.parametrize("sampler", ["sde-dpm-solver++", "dpm-solver++", "ddim"])
def test_a_small_error_of_the_network_stays_small(sampler, prediction):
    """Also at the first steps of the default schedule, where almost nothing of the image is left."""
    target = torch.linspace(-0.9, 0.9, 256).reshape(1, 1, 16, 16)
    generator = perfect(create(sampler=sampler, sampling_steps=20, prediction=prediction), target)
    right, seen = generator.predict, []

    def nearly(noisy, times, labels):
        seen.append(noisy.std().item())
        return right(noisy, times, labels) + 0.02 * torch.randn(noisy.shape, generator=chance)

    generator.predict, chance = nearly, torch.Generator().manual_seed(0)
    images = drawn(generator).images
    assert max(seen) < 2
    assert (images - target).abs().mean() < 0.05


@pytest.mark.parametrize("prediction", ["noise", "velocity", "sample"])
def test_a_perfect_network_has_no_loss(prediction):
    target = torch.linspace(-0.9, 0.9, 256).reshape(1, 1, 16, 16)
    generator = perfect(create(prediction=prediction), target)
    known = replace(batch(), images=target.repeat(9, 1, 1, 1))
    ((_, loss),) = generator.losses(known)
    assert loss.item() < 1e-3


@pytest.mark.parametrize("prediction", ["noise", "velocity"])
@pytest.mark.parametrize("sampler", ["sde-dpm-solver++", "dpm-solver++", "ddim", "ancestral"])
@pytest.mark.parametrize("timesteps", [10, 50])
def test_as_many_steps_as_there_are_noise_levels_still_give_images(timesteps, sampler, prediction):
    settings = {"timesteps": timesteps, "sampling_steps": timesteps, "sampler": sampler, "prediction": prediction}
    assert drawn(create(**settings)).images.isfinite().all()


@pytest.mark.parametrize(
    ("sampler", "steps"),
    [(sampler, 20) for sampler in ("sde-dpm-solver++", "dpm-solver++", "ddim", "ancestral")]
    + [("sde-dpm-solver++", 334), ("dpm-solver++", 600), ("ancestral", 334), ("ancestral", 61), ("ancestral", 1000)],
)
def test_sampling_begins_at_the_highest_noise_level(sampler, steps):
    generator, seen = create(sampler=sampler, sampling_steps=steps), []

    def predict(noisy, times, labels):
        seen.append(int(times[0]))
        return torch.zeros_like(noisy)

    generator.predict = predict
    drawn(generator, (0,))
    assert seen[0] == 999
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) == steps


@pytest.mark.parametrize(("steps", "strength", "first"), [(20, 0.99, 949), (20, 0.5, 499), (2, 0.1, 499)])
def test_with_a_strength_below_1_sampling_begins_at_a_lower_noise_level(steps, strength, first):
    generator, seen = create(sampling_steps=steps, strength=strength, sampler="ddim"), []
    generator.memory = generator.remember(batch())

    def predict(noisy, times, labels):
        seen.append(int(times[0]))
        return torch.zeros_like(noisy)

    generator.predict = predict
    drawn(generator, (0,))
    assert seen[0] == first
    with pytest.raises(UsageError, match="set sampling_steps to 2 or more"):
        create(sampling_steps=1, strength=0.5)


def test_ddim_needs_steps_of_equal_length():
    with pytest.raises(UsageError, match="1000 time steps are no multiple of 600; set sampling_steps to 500"):
        create(sampler="ddim", sampling_steps=600)


def test_guidance_without_images_whose_class_is_hidden_is_refused():
    with pytest.raises(UsageError, match=r"guidance_scale of 2\.0 needs images whose class is hidden, got dropped 0"):
        create(dropped=0.0)
    assert create(dropped=0.0, guidance_scale=1.0).config.guidance_scale == 1
    with pytest.raises(UsageError, match="width: input should be a multiple of 8, got 20"):
        create(width=20)


def test_from_64_pixels_on_the_image_without_noise_is_predicted():
    presets = load_registry().generators.get("cddpm").presets
    for size, prediction in ((32, "velocity"), (64, "sample"), (128, "sample")):
        spec = ImageSpec(3, size, size, ("a", "b"), (6, 3))
        assert {presets[name](spec, "cpu").model.prediction for name in ("auto", "small")} == {prediction}


def test_the_weight_of_a_time_step_is_bounded_by_min_snr():
    times = torch.tensor([0, 500, 990])
    for prediction in ("noise", "velocity", "sample"):
        generator = create(prediction=prediction, min_snr=5.0)
        kept = generator._schedule.alphas_cumprod[times]
        ratio = kept / (1 - kept)
        bounded = {
            "noise": ratio.clamp(max=5) / ratio,
            "velocity": ratio.clamp(max=5) / (ratio + 1),
            "sample": (ratio + 1).clamp(max=5),
        }
        expected = bounded[prediction]
        assert torch.allclose(generator._weights(times), expected)
        assert torch.equal(create(prediction=prediction, min_snr=0.0)._weights(times), torch.ones(3))


def test_guidance_goes_beyond_the_prediction_with_a_class():
    generator = create(guidance_scale=3.0)
    noisy, times, labels = torch.randn(2, 1, 16, 16), torch.tensor([500, 500]), torch.tensor([0, 1])
    with torch.no_grad():
        conditional, unconditional = (
            generator.predict(noisy, times, labels),
            generator.predict(noisy, times, torch.full((2,), 2)),
        )
        assert torch.allclose(
            generator.guided(noisy, times, labels), unconditional + 3 * (conditional - unconditional), atol=1e-4
        )


def test_the_class_is_hidden_from_a_share_of_the_training_images():
    generator = create(dropped=0.25)
    labels = torch.zeros(4000, dtype=torch.int64)
    labels_given = generator._training_labels(labels, Noise.per_batch(0, "batch", 0, 4000))
    assert (labels_given == 2).double().mean().item() == pytest.approx(0.25, abs=0.03)


def test_with_little_strength_images_stay_near_their_parents():
    target = torch.zeros(1, 1, 16, 16)
    far = []
    for strength in (0.1, 0.9):
        generator = perfect(create(strength=strength, sampling_steps=20), target)
        generator.predict = lambda noisy, times, labels: torch.zeros_like(noisy)
        known = batch()
        generator.memory = generator.remember(known)
        result = drawn(generator)
        far.append((result.images - known.images[result.parents[:, 0]]).abs().mean().item())
    assert far[0] < 0.5 * far[1]


def test_images_begin_from_their_own_class_unless_they_borrow():
    known = batch()
    for borrowed, classes in ((0.0, {1}), (1.0, {0, 1})):
        generator = create(strength=0.5, borrowed=borrowed)
        generator.memory = generator.remember(known)
        found = drawn(generator, (1,) * 40)
        assert set(known.labels[found.parents[:, 0]].tolist()) == classes


def test_a_generator_that_starts_from_noise_alone_stores_no_images():
    generator = create()
    assert generator.remember(batch()) == {}
    assert drawn(generator).parents.shape == (4, 0)


@pytest.mark.parametrize("patch", [1, 2, 4])
@pytest.mark.parametrize(("height", "width"), [(16, 16), (24, 40), (104, 104), (64, 32)])
def test_the_compact_network_fits_any_size(height, width, patch):
    network = CompactNetwork((3, height, width), 8, patch, 3)
    found = network(torch.zeros(1, 3, height, width), torch.tensor([5]), torch.tensor([1]))
    assert found.shape == (1, 3, height, width)


@pytest.mark.parametrize("size", range(64, 257, 8))
def test_networks_for_large_images_have_three_levels_or_more(size):
    with torch.device("meta"):
        body = CompactNetwork((3, size, size), 8, 4, 3).body
    assert len(body.down_blocks) >= 3


def test_more_images_get_a_wider_network():
    for name in ("ddpm", "cddpm"):
        auto = load_registry().generators.get(name).presets["auto"]
        few, many = (auto(replace(SPEC, counts=counts), "cpu").model.width for counts in ((1000, 1000), (1500, 1000)))
        assert few < many


def test_specialised_models_and_the_conditional_one_see_equally_many_images():
    presets = {name: load_registry().generators.get(name).presets["auto"] for name in ("ddpm", "cddpm")}
    ten = replace(SPEC, classes=tuple("abcdefghij"), counts=(30,) * 10)
    own, conditional = (presets[name](ten, "cpu").train for name in ("ddpm", "cddpm"))
    assert (own.steps + 10 * own.specialise_steps) * own.batch_size == conditional.steps * conditional.batch_size
    assert own.specialise_steps > 0
    assert presets["ddpm"](replace(SPEC, classes=("a",), counts=(30,)), "cpu").train.specialise_steps == 0


def test_the_colour_histogram_adds_to_the_loss_where_its_weight_is_set():
    values = []
    for weight in (0.0, 1.0):
        generator = create("ddpm", colour_histogram=weight)
        known = batch()
        ((_, loss),) = generator.losses(
            Batch(known.images, torch.zeros_like(known.labels), known.rows, 0, 0.0, Noise.per_batch(0, "b", 0, 9))
        )
        values.append(loss.item())
    assert values[1] > values[0]
