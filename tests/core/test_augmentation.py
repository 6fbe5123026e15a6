"""Augmentation keeps shapes and gradients, depends on its noise or seed only, and flips only where allowed; layers."""

import numpy as np
import pytest
import torch
from genaug.augmentation import differentiable, variants, varied
from genaug.chance import Noise
from genaug.config import AllowedChanges, AugmentationConfig, changed, parse
from genaug.errors import UsageError
from genaug.evaluation.blur import blur
from genaug.layers.blocks import ConditionalBatchNorm2d, doublings
from skimage.data import astronaut
from torch import nn

STEPS = ["color", "translation", "cutout"]


def noise(seed=0, count=4):
    return Noise.per_batch(seed, "x", 0, count)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("channels", [1, 3])
def test_each_step_keeps_the_shape_passes_gradients_and_changes_the_image(step, channels):
    images = torch.rand(4, channels, 16, 24, generator=torch.Generator().manual_seed(0)).requires_grad_()
    changed = differentiable(images, [step], noise())
    changed.square().sum().backward()
    assert changed.shape == images.shape
    assert not torch.equal(changed, images)
    assert images.grad.abs().sum() > 0


@pytest.mark.parametrize("step", STEPS)
def test_each_step_follows_its_noise_alone(step):
    images = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    assert torch.equal(differentiable(images, [step], noise(1)), differentiable(images, [step], noise(1)))
    assert not torch.equal(differentiable(images, [step], noise(1)), differentiable(images, [step], noise(2)))


def test_no_steps_change_nothing_and_unknown_ones_are_refused():
    images = torch.zeros(4, 3, 16, 16)
    assert differentiable(images, [], noise()) is images
    with pytest.raises(KeyError):
        differentiable(images, ["flip"], noise())


def test_cutout_hides_at_most_a_quarter():
    hidden = (differentiable(torch.ones(50, 1, 16, 16), ["cutout"], noise(0, 50)) == 0).float().mean(dim=(1, 2, 3))
    assert hidden.min() > 0
    assert hidden.max() <= 0.25


def test_translation_moves_by_an_eighth_at_most():
    images = torch.zeros(50, 1, 16, 16)
    images[:, 0, 8, 8] = 1
    places = differentiable(images, ["translation"], noise(0, 50)).flatten(1).argmax(dim=1)
    rows, columns = places // 16, places % 16
    assert set(rows.tolist()) == set(columns.tolist()) == {6, 7, 8, 9, 10}


NOTHING = dict.fromkeys(("degrees", "scale", "shift", "brightness", "contrast", "saturation"), 0.0)


def spots(count):
    """Images of one blurred spot above and to the left of the centre."""
    axis = torch.arange(32) - 10.0
    spot = torch.exp(-(axis[:, None] ** 2 + axis[None, :] ** 2) / 8)
    return (2 * spot - 1).repeat(count, 3, 1, 1)


@pytest.mark.parametrize("size", [(32, 32), (16, 40)])
def test_varied_images_stay_in_range_and_keep_their_shape(size):
    images = torch.rand(60, 3, *size, generator=torch.Generator().manual_seed(0)) * 2 - 1
    changed = varied(images, noise(0, 60))
    assert changed.shape == images.shape
    assert changed.min() >= -1
    assert changed.max() <= 1
    assert torch.allclose(varied(images, noise(0, 60), **NOTHING), images, atol=1e-5)


def test_varied_images_follow_their_noise_and_each_its_own():
    images = spots(3)
    assert torch.equal(varied(images, noise(1, 3)), varied(images, noise(1, 3)))
    assert not torch.equal(varied(images, noise(1, 3)), varied(images, noise(2, 3)))
    changed = varied(images, noise(1, 3))
    assert not torch.allclose(changed[0], changed[1], atol=0.05)
    streams = [Noise.per_image(0, "x", rows) for rows in ([(0,), (1,), (2,)], [(2,), (1,), (0,)])]
    there, back = (varied(images, one) for one in streams)
    assert torch.allclose(there, back.flip(0), atol=1e-6)


def test_varied_images_move_no_further_than_their_limits():
    images = spots(200)
    start = centres(images)[0]
    moved = centres(varied(images, noise(0, 200), **NOTHING | {"shift": 0.15})) - start
    assert moved.abs().max() <= 0.15 * 32 + 0.1
    assert moved.abs().max(dim=0).values.min() > 4
    offset = centres(varied(images, noise(0, 200), **NOTHING | {"degrees": 15.0})) - 15.5
    turned = torch.atan2(offset[:, 0], offset[:, 1]) - torch.atan2(*(start - 15.5))
    assert 14 < turned.rad2deg().abs().max() <= 15.2
    grown = (centres(varied(images, noise(0, 200), **NOTHING | {"scale": 0.15})) - 15.5).norm(dim=1)
    assert (grown / (start - 15.5).norm()).max() == pytest.approx(1.15, abs=0.02)
    assert (grown / (start - 15.5).norm()).min() == pytest.approx(0.85, abs=0.02)


def centres(images):
    """Row and column of the mean of the light in images [N, C, H, W]: [N, 2]."""
    light = (images.mean(dim=1) + 1).clamp_min(0)
    axis = torch.arange(32.0)
    total = light.sum(dim=(1, 2))
    return torch.stack([(light.sum(dim=2) @ axis) / total, (light.sum(dim=1) @ axis) / total], dim=1)


def test_varied_colours_stay_within_their_limits():
    grey = torch.zeros(200, 1, 8, 8)
    light = varied(grey, noise(0, 200), **NOTHING | {"brightness": 0.2}).mean(dim=(1, 2, 3))
    assert 0.19 < light.abs().max() <= 0.2
    halves = torch.cat([grey - 0.5, grey + 0.5], dim=3)
    spread = varied(halves, noise(0, 200), **NOTHING | {"contrast": 0.3}).amax(dim=(1, 2, 3)) / 0.5
    assert 0.7 <= spread.min() < spread.max() <= 1.3 + 1e-5
    assert torch.allclose(varied(halves, noise(0, 200), **NOTHING | {"saturation": 0.3}), halves, atol=1e-5)


def test_hues_turn_about_grey_within_their_limit():
    colours = torch.tensor([0.6, -0.2, -0.4])[None, :, None, None].expand(200, 3, 4, 4)
    turned = varied(colours, noise(0, 200), **NOTHING, hue=18.0)
    assert torch.allclose(turned.mean(dim=1), colours.mean(dim=1), atol=1e-6)
    cosines = torch.cosine_similarity(turned, colours, dim=1).clamp(-1, 1)[:, 0, 0]
    assert 17 < cosines.acos().rad2deg().max() <= 18.01
    assert len(cosines.unique()) > 150
    grey = torch.rand(200, 1, 4, 4) * 2 - 1
    assert torch.equal(varied(grey, noise(0, 200), **NOTHING, hue=18.0), varied(grey, noise(0, 200), **NOTHING))
    assert torch.allclose(varied(grey.expand(-1, 3, -1, -1), noise(0, 200), **NOTHING, hue=18.0), grey, atol=1e-5)


@pytest.mark.parametrize(("flips", "axes"), [(("horizontal",), (3,)), (("vertical",), (2,))])
def test_half_of_the_images_are_flipped_and_only_as_requested(flips, axes):
    images = torch.rand(200, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    found = varied(images, noise(0, 200), **NOTHING, flips=flips)
    same, flipped = (torch.isclose(found, other, atol=1e-5).all(dim=(1, 2, 3)) for other in (images, images.flip(axes)))
    assert bool((same ^ flipped).all())
    assert 70 < int(flipped.sum()) < 130


@pytest.mark.parametrize("pipeline", ["light", "paper"])
@pytest.mark.parametrize("channels", [1, 3])
def test_variants_follow_the_seed_and_are_never_flipped(pipeline, channels):
    image = np.zeros((1, 32, 32, channels), np.uint8)
    image[:, :, 16:] = 220
    result = variants(image, pipeline, 20, seed=3)
    assert result.shape == (20, 32, 32, channels)
    assert np.array_equal(result, variants(image, pipeline, 20, seed=3))
    assert not np.array_equal(result, variants(image, pipeline, 20, seed=4))
    assert all(one[:, :12].mean() < one[:, 20:].mean() for one in result)


def test_variants_are_as_sharp_as_their_images():
    """Mean blur of crops of a photograph: enlarged, or warped bilinearly, variants have 0.03 more than they."""
    places = np.random.default_rng(0).integers(0, 512 - 128, (48, 2))
    images = np.stack([astronaut()[row : row + 128, column : column + 128] for row, column in places])
    shifts = [blur(one) - blur(image) for one, image in zip(variants(images, "paper", 1, seed=0), images, strict=True)]
    assert abs(np.mean(shifts)) < 0.015


def test_no_pipeline_repeats_the_images():
    images = np.arange(2 * 16 * 16, dtype=np.uint8).reshape(2, 16, 16, 1)
    assert np.array_equal(variants(images, "none", 3, 0), np.repeat(images, 3, axis=0))


@pytest.mark.parametrize(("name", "axis"), [("horizontal", 1), ("vertical", 0)])
def test_an_allowed_flip_is_applied_to_half_of_the_variants_and_nothing_else_changes(name, axis):
    image = np.random.default_rng(0).integers(0, 256, (1, 16, 16, 3), dtype=np.uint8)
    result = variants(image, "none", 400, 5, AllowedChanges(flips=(name,)))
    flipped = [np.array_equal(one, np.flip(image[0], axis)) for one in result]
    assert all(flip or np.array_equal(one, image[0]) for flip, one in zip(flipped, result, strict=True))
    assert 160 <= sum(flipped) <= 240
    assert np.array_equal(result, variants(image, "none", 400, 5, AllowedChanges(flips=(name,))))


def test_two_flips_are_independent():
    image = np.random.default_rng(0).integers(0, 256, (1, 16, 16, 3), dtype=np.uint8)
    result = variants(image, "none", 400, 5, AllowedChanges(flips=("horizontal", "vertical")))
    assert len({one.tobytes() for one in result}) == 4


def test_a_flip_comes_before_the_pipeline_and_leaves_its_random_numbers_unchanged():
    image = np.random.default_rng(0).integers(0, 256, (1, 16, 16, 3), dtype=np.uint8)
    result = variants(image, "paper", 20, 5, AllowedChanges(flips=("vertical",)))
    plain, mirrored = variants(image, "paper", 20, 5), variants(np.flip(image, 1), "paper", 20, 5)
    kinds = [
        (np.array_equal(one, a), np.array_equal(one, b)) for one, a, b in zip(result, plain, mirrored, strict=True)
    ]
    assert set(kinds) == {(True, False), (False, True)}


def test_turns_and_hues_can_be_turned_off():
    flat = np.full((1, 16, 16, 3), (200, 40, 40), np.uint8)
    changed_hues = variants(flat, "paper", 20, 0)[..., 1] != variants(flat, "paper", 20, 0)[..., 2]
    assert changed_hues.any()
    still = variants(flat, "paper", 20, 0, AllowedChanges(hue=False))
    assert np.array_equal(still[..., 1], still[..., 2])
    image = np.random.default_rng(0).integers(0, 256, (1, 16, 16, 3), dtype=np.uint8)
    assert not np.array_equal(
        variants(image, "paper", 3, 0), variants(image, "paper", 3, 0, AllowedChanges(turns=False))
    )


def test_unknown_flips_and_keys_are_refused():
    with pytest.raises(UsageError, match="'horizontal' or 'vertical', got 'diagonal'"):
        parse(AugmentationConfig, {"flips": ["diagonal"]}, "augmentation")
    with pytest.raises(UsageError, match="unknown key of augmentation 'flip' \\(did you mean 'flips'"):
        parse(AugmentationConfig, {"flip": ["horizontal"]}, "augmentation")
    assert AugmentationConfig().flips == ()
    assert changed(AugmentationConfig(), {"flips": ["vertical"]}, "augmentation").flips == ("vertical",)


@pytest.mark.parametrize(
    ("size", "count"), [((64, 64), 4), ((104, 104), 3), ((16, 16), 2), ((256, 64), 4), ((24, 16), 2)]
)
def test_height_and_width_are_halved_as_often_as_possible(size, count):
    assert doublings(*size) == count


def test_without_a_condition_the_norm_is_plain_batch_norm():
    maps = torch.rand(4, 3, 5, 5)
    assert torch.allclose(ConditionalBatchNorm2d(3, 0)(maps, None), nn.BatchNorm2d(3)(maps))


def test_the_condition_changes_scale_and_shift():
    norm, maps = ConditionalBatchNorm2d(3, 2), torch.rand(4, 3, 5, 5)
    one, two = (norm(maps, torch.full((4, 2), value)) for value in (0.0, 1.0))
    assert torch.allclose(one, nn.BatchNorm2d(3)(maps), atol=1e-6)
    assert not torch.allclose(one, two)
