"""Intervals from held-out images: what images and trainings add, and how often they hold the true value."""

import math

import numpy as np
import pytest
from genaug.studies.held_out import OVERLAP, HeldOut
from scipy import stats


def held_out(labels, *, folds=4, repeats=1, groups=None) -> HeldOut:
    """Every image once in each repeat, image i in split i mod folds."""
    labels, count = np.array(labels), len(labels)
    rows = np.tile(np.arange(count), repeats)
    splits = rows % folds + np.repeat(np.arange(repeats) * folds, count)
    near = np.arange(count) if groups is None else np.array(groups)
    numbers = np.repeat(np.arange(repeats), folds)
    return HeldOut(rows, labels[rows], near[rows], splits, numbers, int(labels.max()) + 1)


def alternating(count: int) -> np.ndarray:
    """Values of mean 0 whose fold means are 0 too: +1 and -1 in turn within each of four folds."""
    return np.where(np.arange(count) // 4 % 2 == 0, 1.0, -1.0)


def test_the_level_is_the_mean_over_classes():
    images = held_out([0] * 12 + [1] * 4)
    assert images.level(np.array([1.0] * 12 + [0.0] * 4)) == 0.5
    assert images.by_class(np.array([1.0] * 12 + [0.5] * 4)).tolist() == [1.0, 0.5]


def test_independent_images_give_the_variance_of_a_stratified_mean():
    values = np.concatenate([alternating(32), alternating(32)])
    found = held_out([0] * 32 + [1] * 32).variance(values)
    squared = float(np.var(values[:32], ddof=1))
    assert found.images == pytest.approx((squared / 32 + squared / 32) / 2**2)
    assert found.trainings == 0.0
    assert found.freedom == pytest.approx(62)
    error = math.sqrt(OVERLAP * found.images)
    half = stats.t.ppf(0.975, 62) * error
    estimate = found.estimate(0.1)
    assert (estimate.low, estimate.high) == (pytest.approx(0.1 - half), pytest.approx(0.1 + half))
    assert estimate.p == pytest.approx(2 * stats.t.sf(0.1 / error, 62))


def test_copies_of_an_image_add_no_certainty():
    values = alternating(16)
    once = held_out([0] * 16).variance(values)
    rows = np.repeat(np.arange(16), 3)
    copied = HeldOut(np.arange(48), np.zeros(48, int), rows, rows % 4, np.zeros(4, int), 1)
    found = copied.variance(values[rows])
    assert (found.images, found.freedom) == (pytest.approx(once.images), pytest.approx(once.freedom))


def test_trainings_that_differ_widen_the_interval_and_repeats_average_them():
    values = alternating(64)
    shifts = np.array([0.5, -0.5, 0.5, -0.5])
    one = held_out([0] * 64)
    found = one.variance(values + shifts[one.splits])
    between = float(np.var(shifts, ddof=1)) / 4
    assert found.images + found.trainings == pytest.approx(between)
    four = held_out([0] * 64, repeats=4)
    signs = np.array([1, 1, -1, -1])[four.splits // 4]  # chance in training is another in each repeat
    averaged = four.variance(np.tile(values, 4) + signs * shifts[four.splits % 4])
    assert averaged.images == pytest.approx(one.variance(values).images)
    assert averaged.trainings < found.trainings / 3


def test_images_that_all_agree_still_leave_doubt_and_small_classes_borrow_from_the_others():
    agreeing = held_out([0] * 100).variance(np.zeros(100))
    assert agreeing.half_width == pytest.approx(1.98 * math.sqrt(OVERLAP / 102 / 100), rel=0.01)
    values = np.concatenate([alternating(64), [0.0, 0.0]])  # two images cannot know how their class varies
    small = held_out([0] * 64 + [1] * 2).variance(values)
    assert small.images > 0.8 * (1 / 2) / 2**2


def test_trainings_that_the_same_images_score_vary_by_chance_in_training_alone():
    values, shifts = alternating(64), np.array([0.3, -0.1, -0.2])
    rows, splits = np.tile(np.arange(64), 3), np.repeat(np.arange(3), 64)
    images = HeldOut(rows, np.zeros(192, int), rows, splits, np.arange(3), 1)
    found = images.variance(np.tile(values, 3) + shifts[splits])
    assert images.shared
    assert found.factor == 1.0
    assert found.images == pytest.approx(float(np.var(values, ddof=1)) / 64)
    assert found.trainings == pytest.approx(float(np.var(shifts, ddof=1)) / 3)
    assert not held_out([0] * 64, repeats=3).shared


@pytest.mark.parametrize("splits", [[0, 0, 0, 0], []])
def test_without_two_splits_there_is_no_interval(splits):
    count = len(splits)
    images = HeldOut(
        np.arange(count), np.zeros(count, int), np.arange(count), np.array(splits, int), np.zeros(1, int), 1
    )
    assert images.variance(np.zeros(count)) is None


def test_a_split_of_a_few_images_does_not_look_like_a_bad_training():
    """Folds of unequal size: the difference of their totals is chance among images, not among trainings."""
    chance = np.random.default_rng(0)
    sizes = np.repeat(np.arange(4), [40, 10, 10, 4])
    parts = []
    for _ in range(200):
        images = HeldOut(np.arange(64), np.zeros(64, int), np.arange(64), sizes, np.zeros(4, int), 1)
        parts.append(images.variance(chance.normal(size=64)))
    assert np.mean([one.images for one in parts]) == pytest.approx(1 / 64, rel=0.1)
    assert np.mean([one.trainings for one in parts]) < 1 / 64
