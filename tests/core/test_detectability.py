"""How well generated images can be told from real ones within a class, and what that tells about the class."""

import numpy as np
import pytest
from genaug.evaluation.blur import blur
from genaug.evaluation.detectability import OriginViews, detect, sample, training_steps
from genaug.metrics.areas import area_within_classes
from genaug.metrics.shortcut import mutual_information, shortcut_risk
from scipy.ndimage import gaussian_filter
from scipy.stats import bootstrap
from skimage.measure import blur_effect
from sklearn.metrics import mutual_info_score, roc_auc_score

SIGNS = np.array([[25, 0], [5, 20], [12, 13]], dtype=float)


def textures(count, seed, sigma=0.0):
    """Images uint8 [N, 32, 32, 3] of random blocks; sigma: of the Gaussian that blurs them, in pixels."""
    blocks = np.random.default_rng(seed).integers(0, 256, (count, 8, 8, 3)).repeat(4, axis=1).repeat(4, axis=2)
    return gaussian_filter(blocks.astype(float), (0, sigma, sigma, 0)).round().astype(np.uint8)


def views(*parts):
    return OriginViews.of([image for part in parts for image in part], (32, 32), "stretch")


def of_two_classes(*parts):
    """Labels, origin and groups of parts of equally many real and generated images; each image is its own group."""
    sizes = [len(part) for part in parts]
    labels = np.concatenate([np.arange(size) % 2 for size in sizes])
    return labels, np.arange(sum(sizes)) >= sizes[0], np.arange(sum(sizes))


# areas


def test_the_area_within_one_class_is_that_of_scikit_learn():
    chance = np.random.default_rng(0)
    scores, positive = chance.integers(0, 9, 80).astype(float), chance.random(80) < 0.4
    found = area_within_classes(scores + 2 * positive, positive, np.zeros(80, int), np.arange(80))
    assert found.value == pytest.approx(roc_auc_score(positive, scores + 2 * positive))
    assert found.rising


def test_a_score_that_differs_between_classes_alone_tells_nothing():
    chance = np.random.default_rng(1)
    labels, positive = np.repeat([0, 1], 200), np.tile([True, False, False, False], 100)
    positive[200:] = ~positive[200:]  # class 0 is a quarter positive, class 1 three quarters
    scores = chance.normal(size=400) + 10 * labels
    assert roc_auc_score(positive, scores) > 0.7
    found = area_within_classes(scores, positive, labels, np.arange(400))
    assert found.value < 0.6
    assert found.interval.low < 0.5 < found.interval.high


def test_smaller_scores_tell_as_much_as_larger_ones():
    labels, positive = np.zeros(20, int), np.arange(20) < 10
    falling = area_within_classes(np.arange(20.0), positive, labels, np.arange(20))
    rising = area_within_classes(-np.arange(20.0), positive, labels, np.arange(20))
    assert (falling.value, falling.rising, rising.value, rising.rising) == (1.0, False, 1.0, True)
    assert falling.interval == rising.interval
    assert 0.7 < rising.interval.low < 1 == rising.interval.high


def test_classes_with_fewer_than_five_images_of_a_kind_do_not_count():
    labels, positive = np.repeat([0, 1], [9, 10]), np.array([True] * 4 + [False] * 5 + [True] * 5 + [False] * 5)
    found = area_within_classes(np.arange(19.0), positive, labels, np.arange(19))
    assert set(found.classes) == {1}
    assert area_within_classes(np.arange(9.0), positive[:9], labels[:9], np.arange(9)) is None


def test_scores_of_different_folds_are_not_compared():
    folds, positive = np.repeat([0, 1], 20), np.tile([True, False], 20)
    scores = np.random.default_rng(2).normal(size=40) + positive
    moved = area_within_classes(scores + 100 * folds, positive, np.zeros(40, int), np.arange(40), folds)
    assert moved == area_within_classes(scores, positive, np.zeros(40, int), np.arange(40), folds)


def test_the_interval_agrees_with_a_bootstrap():
    chance = np.random.default_rng(3)
    yes, no = chance.normal(1, 1, 60), chance.normal(0, 1, 60)
    found = area_within_classes(
        np.concatenate([yes, no]), np.arange(120) < 60, np.zeros(120, int), np.arange(120)
    ).interval

    def area(first, second):
        return (first[:, None] > second).mean()

    other = bootstrap((yes, no), area, vectorized=False, n_resamples=999, random_state=0, method="percentile")
    assert (found.low, found.high) == pytest.approx(tuple(other.confidence_interval), abs=0.02)


@pytest.mark.parametrize(("shift", "copies"), [(0.0, 1), (1.0, 1), (2.0, 1), (1.0, 3)])
def test_intervals_cover_the_true_area_of_ten_small_classes(shift, copies):
    """Positive images are `copies` near-equal ones of each group."""
    from scipy.stats import norm

    chance, truth, hits, repeats = np.random.default_rng(4), norm.cdf(shift / np.sqrt(2)), 0, 300
    labels = np.repeat(np.tile(np.arange(10), 2), np.repeat([6 * copies, 6], 10))
    positive = np.arange(len(labels)) < 60 * copies
    groups = np.concatenate([np.repeat(np.arange(60), copies), np.arange(60, 120)])
    for _ in range(repeats):
        scores = np.concatenate([np.repeat(chance.normal(shift, 1, 60), copies), chance.normal(0, 1, 60)])
        found = area_within_classes(scores + 1e-9 * positive, positive, labels, groups)
        low, high = sorted((found.interval.low, found.interval.high))
        value = truth if found.rising else 1 - truth
        hits += low <= value <= high
    assert 0.92 <= hits / repeats <= 0.995


# the shortcut


def test_mutual_information_is_that_of_scikit_learn():
    rows, columns = np.repeat(np.arange(3), 25), np.concatenate([np.repeat([0, 1], row.astype(int)) for row in SIGNS])
    assert mutual_information(SIGNS) == pytest.approx(mutual_info_score(rows, columns) / np.log(2))


def test_an_even_mix_has_no_shortcut():
    even = np.array([[27, 9], [27, 9], [27, 8]], dtype=float)
    assert shortcut_risk(even, 1.0, 1.0) < 0.01
    assert shortcut_risk(np.array([[10, 5], [40, 20]], float), 1.0, 1.0) == pytest.approx(0, abs=1e-12)


def test_an_origin_that_is_undetectable_is_no_shortcut_and_a_certain_one_is_a_whole_one():
    assert shortcut_risk(SIGNS, 0.5, 0.5) == shortcut_risk(SIGNS, 0.9, 0.1) == shortcut_risk(SIGNS, 0.3, 0.4) == 0
    assert shortcut_risk(SIGNS, 1.0, 1.0) == mutual_information(SIGNS) > 0.3
    assert 0 < shortcut_risk(SIGNS, 0.6, 0.6) < shortcut_risk(SIGNS, 0.9, 0.9) < mutual_information(SIGNS)


# detectors


def test_blur_is_that_of_scikit_image_and_is_one_for_flat_images():
    image = textures(1, 0, 1.0)[0]
    assert blur(image) == pytest.approx(blur_effect(image.mean(axis=2) / 255))
    assert blur(np.full((16, 16, 1), 7, np.uint8)) == blur(np.zeros((8, 8, 3), np.uint8)) == 1
    assert blur(textures(1, 0, 2.0)[0]) > blur(image) > blur(textures(1, 0)[0])


def test_blurred_copies_are_told_from_their_originals_and_unblurred_ones_are_not():
    real = textures(40, 0)
    parts = real, textures(40, 0, 1.5)
    labels, generated, _ = of_two_classes(*parts)
    groups = np.tile(np.arange(40), 2)
    found = detect(views(*parts), labels, generated, groups, seed=0, steps=40)
    assert found.blur.area.value > 0.95
    assert found.blur.area.rising
    assert found.classifier.area.value > 0.8
    assert found.blur.sensitivity + found.blur.specificity > 1.8
    same = detect(views(real, real), labels, generated, groups, seed=0, steps=40)
    assert same.blur.area.value == 0.5
    assert same.classifier.area.value < 0.6
    assert same.blur.sensitivity + same.blur.specificity == pytest.approx(1)


def test_classes_that_differ_in_blur_and_in_their_share_of_generated_images_tell_nothing():
    """Class 0 is sharp and mostly real, class 1 is blurred and mostly generated; within them origin does not show."""
    images = np.concatenate([textures(40, 1), textures(40, 2, 1.5)])
    labels, generated = np.repeat([0, 1], 40), np.concatenate([np.arange(40) < 10, np.arange(40) < 30])
    found = detect(views(images), labels, generated, np.arange(80), seed=0, steps=40)
    assert roc_auc_score(generated, views(images).blurs) > 0.65
    for detector in (found.blur, found.classifier):
        assert detector.area.interval.low < 0.5
        assert detector.sensitivity + detector.specificity < 1.3


def test_detection_is_deterministic_and_finds_its_classifiers_again(tmp_path):
    parts = textures(12, 0), textures(12, 1, 1.0)
    labels, generated, groups = of_two_classes(*parts)
    options = {"seed": 3, "steps": 10}
    begun, found = [], []
    first = detect(views(*parts), labels, generated, groups, folder=tmp_path, report=begun.append, **options)
    again = detect(views(*parts), labels, generated, groups, folder=tmp_path, report=found.append, **options)
    without = detect(views(*parts), labels, generated, groups, **options)
    assert first == again == without
    assert len(list(tmp_path.iterdir())) == 2
    assert {message.number for message in begun} == {1, 2}
    assert found == []


@pytest.mark.parametrize(("real", "generated", "steps"), [(80, 64, 9), (8, 10, 60), (12, 20, 60), (4, 40, 60)])
def test_the_number_of_training_steps_is_known_before_any_image_is_seen(real, generated, steps):
    parts, trained = (textures(real, 0), textures(generated, 1)), []
    labels, groups = np.zeros(real + generated, int), np.arange(real + generated)
    origin = groups >= real
    detect(views(*parts), labels, origin, groups, seed=0, steps=steps, report=trained.append)
    assert training_steps(labels, origin, steps) == pytest.approx(len(trained), rel=0.1)


def test_too_few_images_are_not_judged():
    parts = textures(8, 0), textures(8, 1)
    labels, generated, groups = of_two_classes(*parts)
    assert detect(views(*parts), labels, generated, groups, seed=0, steps=2) is None
    assert detect(views(), labels[:0], generated[:0], groups[:0], seed=0) is None


def test_a_sample_has_at_most_a_hundred_images_of_each_class_and_kind():
    labels, kinds = np.repeat([0, 1], [300, 50]), np.tile([0, 1], 175)
    rows = sample(labels, kinds, seed=0)
    counts = {(one, two): int(((labels[rows] == one) & (kinds[rows] == two)).sum()) for one in (0, 1) for two in (0, 1)}
    assert counts == {(0, 0): 100, (0, 1): 100, (1, 0): 25, (1, 1): 25}
    assert np.array_equal(rows, sample(labels, kinds, seed=0))
    assert len(np.unique(rows)) == len(rows)
