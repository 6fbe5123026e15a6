"""The check at the end of a run: planted harm is found, harmless images are not blamed, and nothing is done twice."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from genaug.classifier import fit_classifier
from genaug.data.split import TrainSplit
from genaug.run import harm_check
from genaug.run.harm_bounds import bounds, widened
from genaug.run.harm_check import Additions, measure_harm
from genaug.spec import ImageSpec

EACH = 12


def shapes(each, seed, *, classes=3):
    """Noisy images of a square in one of several places, uint8 [N, 16, 16, 1], and their labels."""
    chance = np.random.default_rng(seed)
    images = chance.integers(0, 120, (each * classes, 16, 16, 1), dtype=np.uint8)
    labels = np.arange(classes).repeat(each)
    for image, label in zip(images, labels, strict=True):
        row, column = chance.integers(0, 4, 2)
        if label == 0:
            image[row + 3 : row + 10, column + 3 : column + 10] += 110
        elif label == 1:
            image[row + 5 : row + 8] += 110
        else:
            image[:, column + 5 : column + 8] += 110
    return images, labels


def split(each=EACH, seed=0, keep=None):
    images, labels = shapes(each, seed)
    images, labels = (images, labels) if keep is None else (images[keep], labels[keep])
    counts = tuple(np.bincount(labels, minlength=3).tolist())
    spec = ImageSpec(1, 16, 16, ("square", "row", "column"), counts)
    names = tuple(f"{row}.png" for row in range(len(labels)))
    return TrainSplit(spec, images, labels, np.arange(len(labels)), names)


def additions(each, seed=1, shift=0):
    images, labels = shapes(each, seed)
    return Additions(images, (labels + shift) % 3, np.full(len(labels), -1))


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder in which classifiers of real images alone are found again."""
    return tmp_path_factory.mktemp("checks")


def test_images_of_the_wrong_class_are_found_to_harm(home):
    found = measure_harm(split(), additions(EACH, shift=1), seed=0, steps=16, folder=home)
    assert found.harms
    assert found.points < -20
    assert found.low <= found.points <= found.high < 0
    assert found.points == pytest.approx(found.both - found.real, abs=0.11)
    assert (found.images, found.folds, found.seeds, found.steps) == (3 * EACH, 3, 2, 16)


def test_more_images_of_the_right_class_are_not_blamed(home):
    assert not measure_harm(split(), additions(EACH), seed=0, steps=16, folder=home).harms


@pytest.mark.parametrize(("copied", "left"), [(True, 24), (False, 36)])
def test_only_copies_of_held_out_images_are_left_out(tmp_path, monkeypatch, copied, left):
    """Twelve of 36 images are held out: 24 are left to train on, and of 36 additions those that tell nothing."""
    train, sizes = split(), []
    rows = np.arange(len(train)) if copied else np.full(len(train), -1)

    def fit_and_note(part, **options):
        sizes.append(len(part))
        return fit_classifier(part, **options)

    monkeypatch.setattr(harm_check, "fit_classifier", fit_and_note)
    measure_harm(train, Additions(train.images, train.labels, rows), seed=0, steps=1, folder=tmp_path)
    assert set(sizes) == {24, 24 + left}


def test_uneven_classes_are_not_blamed_on_right_images(tmp_path):
    """Batches drawn evenly from all images hold little else than the large class, with or without additions."""
    uneven = np.concatenate([np.arange(36), np.arange(36, 42), np.arange(72, 78)])
    train = split(36, keep=uneven)
    more = additions(36)
    lopsided = Additions(more.images[uneven], more.labels[uneven], more.copied[uneven])
    found = measure_harm(train, lopsided, seed=0, steps=8, folder=tmp_path)
    assert found.baseline == "uniform"
    assert not found.harms


def test_a_second_check_trains_nothing_and_finds_the_same(tmp_path):
    told = []
    first = measure_harm(split(), additions(6), seed=0, steps=3, folder=tmp_path, report=told.append)
    count = len(told)
    assert count == 3 * 12
    assert {(one.role, one.count) for one in told} == {("harm check", 12)}
    assert {one.number for one in told} == set(range(1, 13))
    assert measure_harm(split(), additions(6), seed=0, steps=3, folder=tmp_path, report=told.append) == first
    assert len(told) == count


def test_a_check_with_two_workers_finds_the_same(tmp_path):
    found = [
        measure_harm(split(), additions(6), seed=0, steps=3, folder=tmp_path / str(workers), workers=workers)
        for workers in (1, 2)
    ]
    assert found[0] == found[1]


def test_an_interrupted_check_continues(tmp_path):
    class StopError(Exception):
        pass

    def stop(progress):
        if progress.number == 8:
            raise StopError

    whole = measure_harm(split(), additions(6), seed=0, steps=3, folder=tmp_path / "whole")
    with pytest.raises(StopError):
        measure_harm(split(), additions(6), seed=0, steps=3, folder=tmp_path / "part", report=stop)
    told = []
    again = measure_harm(split(), additions(6), seed=0, steps=3, folder=tmp_path / "part", report=told.append)
    assert again == whole
    assert min(one.number for one in told) == 8


def test_images_that_are_all_alike_cannot_be_checked(tmp_path):
    train = split(2)
    alike = replace(train, images=np.broadcast_to(train.images[:1], train.images.shape).copy())
    assert measure_harm(alike, additions(2), seed=0, steps=1, folder=tmp_path) is None


def test_bounds_are_those_of_the_exact_sign_flip_test():
    """All 2^12 sign flips decide which mean differences the test would reject at the 5 % level."""
    chance = np.random.default_rng(3)
    weights = chance.uniform(0.5, 2, 12)
    weights /= weights.sum()
    differences = weights * chance.normal(-0.1, 0.4, 12)
    signs = np.array(list(product((-1, 1), repeat=12)))

    def p(mean):
        shifted = differences - mean * weights
        return ((signs @ shifted) <= shifted.sum() + 1e-12).mean()

    low, high = bounds(differences, weights, 0)
    assert p(high) == pytest.approx(0.05, abs=0.012)
    assert 1 - p(low) == pytest.approx(0.05, abs=0.012)
    assert low < differences.sum() < high


def test_bounds_widen_as_classifiers_of_other_seeds_differ():
    """Two cells; the seeds of the first differ by 0.2, so the mean of two has a variance of 0.02 / 2."""
    assert widened(-0.1, (-0.2, 0.0), np.zeros((2, 2))) == (-0.2, 0.0)
    half = 0.1 * 2.91999  # the t-quantile for two degrees of freedom
    found = widened(-0.1, (-0.2, 0.0), np.array([[0.1, -0.1], [0.0, 0.0]]))
    assert found == pytest.approx((-0.1 - half, -0.1 + half), rel=1e-4)


def test_the_interval_keeps_its_level():
    """Pairs that differ by chance alone: the upper bound is below zero in at most about one of twenty cases."""
    chance = np.random.default_rng(0)
    weights = np.full(40, 1 / 40)
    draws = chance.choice([-1, -0.5, 0, 0.5, 1], size=(400, 40), p=[0.02, 0.06, 0.84, 0.06, 0.02])
    alarms = sum(bounds(weights * one, weights, seed)[1] < 0 for seed, one in enumerate(draws))
    assert alarms <= 30  # 20 expected; more than 30 in one of a hundred cases
