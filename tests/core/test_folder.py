"""A folder in memory: its size and colours, its order, its duplicates, and its inspection."""

import json
import shutil

import numpy as np
import pytest
from genaug.data import duplicates
from genaug.data.description import describe_folder
from genaug.data.duplicates import near_pairs, pixel_hash, thumbnail
from genaug.data.folder import load_folder
from genaug.data.input_types import load_any
from genaug.data.inspection import inspect_folder
from genaug.data.resize import choose_policy, choose_size, resize
from genaug.data.variability import luma_weighted
from genaug.errors import DataError, UsageError
from PIL import Image
from torchvision.datasets import ImageFolder


def picture(seed, height=40, width=40):
    small = np.random.default_rng(seed).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def save(path, image, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(40, 40)], (40, 40)),
        ([(41, 39)], (40, 40)),
        ([(10, 10)], (16, 16)),
        ([(500, 480)], (64, 64)),
        ([(200, 100)], (64, 128)),
        ([(50, 100)], (96, 48)),
        ([(40, 40), (40, 40), (4000, 10)], (40, 40)),
    ],
)
def test_the_model_size_follows_the_median_image(sizes, expected):
    assert choose_size(sizes) == expected


def test_images_of_one_aspect_are_stretched_and_mixed_ones_cut():
    assert choose_policy([(40, 40), (44, 40)], 40, 40) == "stretch"
    assert choose_policy([(40, 40), (90, 40)], 40, 40) == "crop"


@pytest.mark.parametrize("policy", ["fit", "crop", "stretch"])
@pytest.mark.parametrize("shape", [(20, 60, 3), (60, 20, 1), (1, 50, 3), (16, 16, 1)])
def test_every_policy_gives_the_model_size(policy, shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    for channels in (1, 3):
        assert resize(pixels, 24, 16, channels, policy).shape == (24, 16, channels)


def test_fit_pads_crop_keeps_the_centre_and_stretch_keeps_the_edges():
    pixels = np.zeros((16, 48, 1), np.uint8)
    pixels[:, 16:32] = 255
    fit, crop, stretch = (resize(pixels, 16, 16, 1, policy).mean() for policy in ("fit", "crop", "stretch"))
    assert crop > 250
    assert 75 < stretch < 95
    assert fit < 125


def test_size_channels_labels_and_splits_come_from_the_folder(splits):
    loaded = load_folder(splits)
    assert (loaded.spec.classes, loaded.spec.counts) == (("cat", "dog", "owl"), (6, 4, 3))
    assert (loaded.spec.channels, loaded.spec.height, loaded.spec.width) == (3, 16, 16)
    assert loaded.splits["test"].images.shape == (6, 16, 16, 3)
    assert loaded.splits["train"].images.dtype == np.uint8
    assert "16x16" in loaded.notes[0]


@pytest.mark.parametrize("size", [(0, 16), (16, 0), (20, 16), (1032, 16)])
def test_a_size_that_no_model_supports_is_refused(splits, size):
    with pytest.raises(UsageError, match="multiples of 8"):
        load_folder(splits, size=size)


def test_grey_folders_have_one_channel_and_mixed_ones_three(tmp_path):
    for number in range(2):
        save(tmp_path / f"a/{number}.png", picture(number).convert("L"))
    assert load_folder(tmp_path).spec.channels == 1
    save(tmp_path / "a/colour.png", picture(9))
    loaded = load_folder(tmp_path)
    assert loaded.spec.channels == 3
    assert any("grey" in note for note in loaded.notes)


def test_names_do_not_change_what_is_trained_on(splits, tmp_path):
    renamed = tmp_path / "renamed"
    shutil.copytree(splits, renamed)
    for path in list((renamed / "train").rglob("*.png")):
        path.rename(path.with_name(f"x{9 - int(path.stem)}.png"))
    assert load_folder(renamed).train.fingerprint == load_folder(splits).train.fingerprint


def test_other_pixels_change_what_is_trained_on(splits):
    before = load_folder(splits).train.fingerprint
    save(splits / "train/cat/0.png", picture(77, 20, 20))
    assert load_folder(splits).train.fingerprint != before


def test_a_path_and_its_image_folder_give_the_same_images(splits):
    path = splits / "train"
    through_torchvision = load_any(ImageFolder(str(path)), None, None, "auto")
    assert through_torchvision.train.fingerprint == load_folder(path).train.fingerprint


def test_a_class_without_one_readable_image_is_left_out_and_listed(splits):
    for path in (splits / "train/dog").iterdir():
        path.write_bytes(b"broken")
    loaded = load_folder(splits)
    assert loaded.spec.classes == ("cat", "owl")
    reasons = {entry.path: entry.reason for entry in loaded.skipped}
    assert "not an image" in reasons["train/dog/0.png"]
    assert reasons["train/dog"] == "a class without one readable image"
    assert "train/dog" not in {f"train/{name}" for name in loaded.spec.classes}
    assert "test/dog/0.png" in reasons


def test_a_folder_of_broken_images_is_refused_with_an_example(splits):
    for path in (splits / "train").rglob("*.png"):
        path.write_bytes(b"broken")
    with pytest.raises(DataError, match="not an image"):
        load_folder(splits)


def test_the_same_pixels_have_one_hash_whatever_the_file(tmp_path):
    pixels = np.asarray(picture(1))
    grey = np.asarray(picture(1).convert("L"))[:, :, None]
    assert pixel_hash(pixels) == pixel_hash(pixels.copy())
    assert pixel_hash(grey) == pixel_hash(np.repeat(grey, 3, axis=2))
    assert pixel_hash(pixels) != pixel_hash(pixels[::-1])
    assert pixel_hash(pixels[:20]) != pixel_hash(pixels[:, :20])


def test_near_duplicates_are_found_and_distinct_pictures_are_not():
    brighter = np.clip(np.asarray(picture(1)).astype(int) + 12, 0, 255).astype(np.uint8)
    flat = np.full((20, 20, 3), 90, np.uint8)
    images = [np.asarray(picture(1)), np.asarray(picture(2)), brighter, flat, flat]
    assert near_pairs(np.stack([thumbnail(image) for image in images])).tolist() == [[0, 2]]


def scattered(seed):
    """Unit vectors [N, 768] in a plane and in random order: pairs, chains and ties occur; some are zeros (flat)."""
    chance = np.random.default_rng(seed)
    angles = chance.uniform(0, 2 * np.pi, int(chance.integers(1, 60)))
    angles = chance.permutation(np.concatenate([angles, angles[: len(angles) // 5]]))
    vectors = np.zeros((len(angles), 768), np.float32)
    vectors[:, 0], vectors[:, 1] = np.cos(angles), np.sin(angles)
    vectors[chance.random(len(angles)) < 0.1] = 0
    return vectors


def joined_pair_by_pair(vectors):
    """The groups by brute force: each pair of near-duplicates (i, j), i < j, gives the group of j the number of i's."""
    groups = list(range(len(vectors)))
    for i, j in near_pairs(vectors).tolist():
        old, new = groups[j], groups[i]
        groups = [new if number == old else number for number in groups]
    return groups


@pytest.mark.parametrize("blocks", [(2048, 512), (7, 5), (4, 9)])
def test_in_a_small_set_all_similar_images_are_near_duplicates(monkeypatch, blocks):
    for name, size in zip(("_ROWS", "_COLUMNS"), blocks, strict=True):
        monkeypatch.setattr(duplicates, name, size)
    for seed in range(50):
        vectors = scattered(seed)
        luma = luma_weighted(vectors)
        similar = (vectors @ vectors.T >= 0.95) | (luma @ luma.T >= 0.96)
        assert near_pairs(vectors).tolist() == np.argwhere(np.triu(similar, k=1)).tolist(), seed


def test_groups_of_near_duplicates_equal_joining_pair_by_pair():
    numbers_are_smallest_rows = set()
    for seed in range(150):
        groups = duplicates.near_groups(scattered(seed))
        assert groups.tolist() == joined_pair_by_pair(scattered(seed)), seed
        numbers_are_smallest_rows |= {groups.tolist().index(number) == number for number in groups.tolist()}
    assert numbers_are_smallest_rows == {True, False}  # a chain in odd order has another number, and is covered


def test_no_images_have_no_groups():
    assert duplicates.near_groups(np.zeros((0, 768), np.float32)).tolist() == []


def test_inspection_finds_duplicates_odd_files_and_imbalance(tmp_path):
    for number in range(12):
        save(tmp_path / f"train/a/{number}.png", picture(number))
    save(tmp_path / "train/b/0.png", picture(0))
    save(tmp_path / "test/a/0.png", picture(1))
    save(tmp_path / "test/b/lies.jpg", picture(50), format="PNG")
    save(tmp_path / "train/a/again.jpg", picture(2), quality=60)
    inspection = inspect_folder(describe_folder(tmp_path))
    assert inspection.counts == {"train": {"a": 13, "b": 1}, "test": {"a": 1, "b": 1}}
    assert inspection.imbalance == 13
    assert inspection.odd == {"test/b/lies.jpg": "PNG content, but the suffix is .jpg"}
    pairs = {frozenset((pair.first, pair.second)): pair for pair in inspection.duplicates}
    assert pairs[frozenset(("train/a/0.png", "train/b/0.png"))].labels_differ
    assert pairs[frozenset(("train/a/1.png", "test/a/0.png"))].splits_differ
    assert not pairs[frozenset(("train/a/2.png", "train/a/again.jpg"))].exact
    assert len(pairs) == 3
    for word in ("two splits", "two classes", "duplicates within a class", "strongly imbalanced", "fewer than 10"):
        assert any(word in advice for advice in inspection.advice), word
    json.dumps(inspection.to_json())


def test_inspection_warns_of_class_names_that_are_split_words(tmp_path):
    save(tmp_path / "test-sign/0.png", picture(0))
    assert any("test-sign" in advice for advice in inspect_folder(describe_folder(tmp_path)).advice)
