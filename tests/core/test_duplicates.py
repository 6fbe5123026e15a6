"""Near-duplicates: the same picture, or the same thing a moment later, and not merely images that are alike."""

import io

import numpy as np
import pytest
from genaug.data import duplicates
from genaug.data.duplicates import near_groups, near_matches, near_pairs, thumbnail
from genaug.data.variability import Variability, different_images, luma_weighted
from genaug.demonstration import scan_pixels
from PIL import Image
from sklearn.datasets import load_digits


def thumbnails(images):
    return np.stack([thumbnail(np.asarray(image)) for image in images])


@pytest.fixture(scope="module")
def digits():
    return [scan_pixels(scan) for scan in load_digits().images]


@pytest.fixture(scope="module")
def digit_vectors(digits):
    return thumbnails(digits)


def scene(seed, side=64):
    """A random colour picture of soft blobs."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)


def frames(seed, count):
    """Neighbouring frames of a scene: the camera moves a little from one to the next, and the sensor has noise."""
    chance, large, images = np.random.default_rng(seed), scene(seed, 96), []
    for place in range(count):
        view = large.transform((48, 48), Image.Transform.AFFINE, (1, 0, 20 + 0.8 * place, 0, 1, 20 - 0.5 * place))
        images.append(np.clip(np.asarray(view) + chance.normal(0, 4, (48, 48, 3)), 0, 255).astype(np.uint8))
    return images


def saved(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels[:, :, 0]).save(buffer, "JPEG", quality=60)
    return np.asarray(Image.open(buffer))[:, :, None]


def brighter(pixels):
    return np.clip(pixels * 1.1, 0, 255).astype(np.uint8)


def scaled(pixels):
    side = round(0.7 * len(pixels))
    return np.asarray(Image.fromarray(pixels[:, :, 0]).resize((side, side), Image.Resampling.LANCZOS))[:, :, None]


def test_different_digits_are_no_near_duplicates_although_they_are_alike(digit_vectors):
    correlated = np.argwhere(np.triu(digit_vectors @ digit_vectors.T >= 0.95, k=1))
    assert len(np.unique(correlated)) > len(digit_vectors) / 2
    assert len(np.unique(near_pairs(digit_vectors))) <= 0.01 * len(digit_vectors)


@pytest.mark.parametrize("change", [saved, brighter, scaled])
def test_changed_copies_of_digits_are_found(digits, digit_vectors, change):
    copies = thumbnails([change(image) for image in digits])
    assert np.mean(near_matches(copies, digit_vectors) == np.arange(len(digits))) >= 0.95


def test_neighbouring_frames_are_near_duplicates_and_other_scenes_are_not():
    scenes, length = 120, 4
    pairs = near_pairs(thumbnails([frame for seed in range(scenes) for frame in frames(seed, length)]))
    assert (pairs[:, 0] // length == pairs[:, 1] // length).all()
    assert np.sum(pairs[:, 1] - pairs[:, 0] == 1) >= 0.95 * scenes * (length - 1)


def test_a_set_that_consists_of_neighbouring_frames_is_one_group_for_each_scene():
    groups = near_groups(thumbnails([frame for seed in range(3) for frame in frames(seed, 30)]))
    assert len(set(groups.tolist())) == 3


@pytest.mark.parametrize("count", [40, 500])
def test_near_duplicates_do_not_depend_on_the_order_of_files(digits, count):
    vectors = thumbnails([*digits[:count], *map(saved, digits[:20]), *frames(0, 3)])
    order = np.random.default_rng(0).permutation(len(vectors))
    shuffled = np.sort(order[near_pairs(vectors[order])], axis=1)
    assert sorted(shuffled.tolist()) == near_pairs(vectors).tolist()


@pytest.mark.parametrize("kind", ["digits", "frames", "noise"])
def test_what_is_too_unlike_by_coarse_thumbnails_is_so_by_whole_ones(digit_vectors, kind):
    vectors = digit_vectors[:600]
    if kind != "digits":
        side = (16, 16, 3) if kind == "noise" else None
        noise = np.random.default_rng(0).integers(0, 256, (600, *(side or ())), dtype=np.uint8)
        vectors = thumbnails(noise if side else [frame for seed in range(150) for frame in frames(seed, 4)])
    luma = luma_weighted(vectors)
    similar = (vectors @ vectors.T >= 0.95) | (luma @ luma.T >= 0.96)
    coarse = duplicates._Coarse(duplicates._Ordered(vectors, np.arange(600)), 0, 600)
    may_be = coarse.may_be_similar(coarse)
    assert similar.sum() >= 600
    assert not (similar & ~may_be).any()
    assert may_be.sum() < 2 * similar.sum()


def test_a_match_is_the_most_similar_near_duplicate_or_nothing():
    known = thumbnails([*map(scene, range(5)), *frames(9, 2)])
    queries = thumbnails([scene(3), scene(77), np.full((20, 20, 3), 90, np.uint8), frames(9, 2)[1]])
    assert near_matches(queries, known).tolist() == [3, -1, -1, 6]
    assert near_matches(queries[:0], known).tolist() == []


def test_of_copies_one_counts_as_a_different_image():
    vectors = thumbnails([scene(0), scene(1), scene(0), np.zeros((8, 8, 3), np.uint8)])
    assert different_images(vectors, 0.95).tolist() == vectors[:2].tolist()


def test_different_images_differ_by_about_one_and_a_moved_image_by_far_less():
    vectors = luma_weighted(thumbnails(map(scene, range(300))))
    variability = Variability(vectors)
    assert 0.7 < np.median(variability.differences(vectors[:100], vectors[100:200])) < 1.3
    moved = luma_weighted(thumbnails([frames(seed, 2)[1] for seed in range(300, 350)]))
    before = luma_weighted(thumbnails([frames(seed, 2)[0] for seed in range(300, 350)]))
    assert variability.differences(before, moved).max() < 0.1


def test_few_images_do_not_tell_how_images_of_the_set_vary():
    assert not Variability(luma_weighted(thumbnails(map(scene, range(65))))).is_known
    assert Variability(luma_weighted(thumbnails(map(scene, range(66))))).is_known
