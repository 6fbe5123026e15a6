"""GenerativeSampler keeps the conventions of imbalanced-learn's over-samplers, for images."""

import re
from typing import Any

import genaug
import numpy as np
import pytest
import torch
from genaug import DataError, GenerativeSampler, UsageError, augment, resampling
from numpy.typing import NDArray
from sklearn.base import clone

QUICK: dict[str, Any] = {"settings": {"steps": 4, "width": 4, "latent": 4}, "preset": "small"}
Y = np.array([7] * 5 + [-2] * 2 + [10] * 3)


def images(*shape: int, count: int = 10) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, *shape), dtype=np.uint8)


def drawing(*arguments: Any, **options: Any) -> GenerativeSampler:
    """A sampler that takes every image that is drawn; selection has tests of its own."""
    return GenerativeSampler(*arguments, select=(), **options)


def test_originals_come_first_and_classes_are_filled_exactly():
    X = images(20, 18, 3)
    sampler = drawing("oversample")
    X_res, y_res = sampler.fit_resample(X, Y)
    assert np.array_equal(X_res[:10], X)
    assert np.array_equal(y_res[:10], Y)
    assert sampler.sampling_strategy_ == {-2: 3, 10: 2}
    assert sorted(y_res[10:].tolist()) == [-2, -2, -2, 10, 10]


def test_sample_indices_are_the_source_images():
    X = images(16, 16, 3)
    sampler = drawing("oversample", "all")
    X_res, y_res = sampler.fit_resample(X, Y)
    assert sampler.sample_indices_.dtype == np.int64
    assert sampler.sample_indices_[:10].tolist() == list(range(10))
    assert np.array_equal(X_res, X[sampler.sample_indices_])  # copies, at the model's own size
    assert np.array_equal(y_res, Y[sampler.sample_indices_])


def test_without_a_named_parent_the_nearest_image_is_meant():
    sampler = drawing("cdcgan", device="cpu", **QUICK)
    X_res, _ = sampler.fit_resample(images(16, 16), Y)
    assert len(X_res) == len(sampler.sample_indices_) == 15
    assert set(sampler.sample_indices_[10:].tolist()) <= set(range(10))


def test_it_draws_what_augment_draws():
    X = images(16, 16, 3)
    X_res, _ = drawing("classical", random_state=3).fit_resample(X, Y)
    drawn = augment((X, Y), "classical", sampling_strategy="auto", seed=3, select=()).synthetic
    assert np.array_equal(X_res[10:], drawn.images)


@pytest.mark.parametrize(
    "pictures",
    [
        images(20, 18),
        images(20, 18, 1),
        images(20, 18, 3),
        images(20, 18, 2),
        images(20, 18, 4),
        images(20, 18, 3) / 255.0,
        (images(3, 20, 18) / 255.0).astype(np.float16),
        torch.from_numpy(images(3, 20, 18)),
        torch.from_numpy(images(1, 20, 18)) / 255,
    ],
    ids=lambda pictures: f"{pictures.dtype} {tuple(pictures.shape)}",
)
def test_layout_type_and_size_of_images_are_kept(pictures):
    X = pictures
    X_res, _ = drawing("oversample").fit_resample(X, Y)
    assert type(X_res) is type(X)
    assert X_res.dtype == X.dtype
    assert X_res.shape == (15, *X.shape[1:])
    assert (X_res[:10] == X).all()
    new, old = np.asarray(X_res[10:], np.float64), np.asarray(X, np.float64)
    assert abs(new.mean() - old.mean()) < (0.5 if new.shape[-1] in (2, 4) else 0.1) * old.max()  # alpha becomes full


@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_is_not_learnt_and_is_full_in_new_images(channels):
    X = images(16, 16, channels)
    sampler = drawing("oversample")
    new = sampler.fit_resample(X, Y)[0][10:]
    assert np.array_equal(new[..., :-1], X[sampler.sample_indices_[10:]][..., :-1])
    assert (new[..., -1] == 255).all()


@pytest.mark.parametrize(
    "y",
    [Y, Y.astype(np.float32), Y.astype(np.uint8), Y.astype(str), Y.tolist(), torch.from_numpy(Y), Y.astype(object)],
    ids=lambda y: f"{type(y).__name__} {getattr(y, 'dtype', '')}",
)
def test_the_type_of_labels_is_kept(y):
    _, y_res = drawing("oversample").fit_resample(images(16, 16), y)
    assert type(y_res) is type(y)
    assert getattr(y_res, "dtype", None) == getattr(y, "dtype", None)
    assert list(y_res[:10]) == list(y)
    assert sorted(map(str, y_res[10:])) == sorted([str(y[5])] * 3 + [str(y[7])] * 2)


@pytest.mark.parametrize("strategy", [{-2: 4}, lambda y: {-2: len(y) - 6}])
def test_a_table_of_labels_says_how_many(strategy):
    sampler = drawing("oversample", strategy).fit(images(16, 16), Y)
    assert sampler.sampling_strategy_ == {-2: 2}
    assert sampler.fit_resample(images(16, 16), Y)[1].tolist() == [*Y, -2, -2]


def test_balanced_data_come_back_as_they_were():
    X, y = images(16, 16, count=4), np.array(["a", "b", "a", "b"])
    sampler = drawing("oversample")
    X_res, y_res = sampler.fit_resample(X, y)
    assert sampler.sampling_strategy_ == {"b": 0}
    assert np.array_equal(X_res, X)
    assert np.array_equal(y_res, y)


def test_parameters_have_scikit_learns_manners():
    sampler = GenerativeSampler("oversample", random_state=4, classes=["a"])
    copy = clone(sampler).set_params(classes=["b"], workers=2)
    assert copy.get_params() == sampler.get_params() | {"classes": ["b"], "workers": 2}
    assert "classes=['b']" in repr(copy)
    assert sampler.get_params()["classes"] == ["a"]


def test_a_random_state_may_be_scikit_learns():
    one, two = (
        drawing("classical", random_state=np.random.RandomState(5)).fit_resample(images(16, 16), Y)[0] for _ in range(2)
    )
    assert np.array_equal(one, two)


@pytest.mark.parametrize(
    ("pictures", "y", "options", "error", "words"),
    [
        (images(256), Y, {}, DataError, "X: expected the shape [N, H, W], [N, H, W, C] or [N, C, H, W], got [10, 256]"),
        (
            list(images(16, 16)),
            Y,
            {},
            DataError,
            "X: expected an array or tensor of at least one image, all of one size",
        ),
        (images(16, 16), Y[1:], {}, DataError, "got 10 images and 9 labels"),
        (images(16, 16), Y * 0, {}, UsageError, "at least two classes, got 1"),
        (images(16, 16), np.eye(10), {}, DataError, "y[0]: expected a whole number or a text"),
        (images(16, 16), Y, {"sampling_strategy": "majority"}, UsageError, "got 'majority'"),
        (images(16, 16), Y, {"generator": "oversampel"}, UsageError, "did you mean 'oversample'"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(pictures, y, options, error, words):
    with pytest.raises(error, match=re.escape(words)):
        GenerativeSampler(**{"generator": "oversample"} | options).fit_resample(pictures, y)


def test_it_is_imported_from_genaug_lazily():
    assert genaug.GenerativeSampler is resampling.GenerativeSampler
    with pytest.raises(AttributeError, match="no attribute 'Sampler'"):
        _ = genaug.Sampler


def test_rows_of_a_table_are_images_of_the_given_shape():
    X = images(12, 10, 3)
    table = drawing("classical", image_shape=(12, 10, 3)).fit_resample(X.reshape(10, -1), Y)[0]
    assert table.shape == (15, 360)
    assert np.array_equal(table.reshape(-1, 12, 10, 3), drawing("classical").fit_resample(X, Y)[0])


def test_a_table_of_other_values_keeps_its_range():
    X = images(8, 8).reshape(10, -1) / 255 * 16  # as scikit-learn's digits
    sampler = drawing("classical", image_shape=(8, 8), value_range=(0, 16))
    table, _ = sampler.fit_resample(X, Y)
    assert np.array_equal(table[:10], X)
    unit = drawing("classical", image_shape=(8, 8)).fit_resample(X / 16, Y)[0]
    assert np.allclose(table[10:], 16 * unit[10:])
    assert sampler.get_params()["value_range"] == (0, 16)
    assert isinstance(sampler.fit_resample(X.tolist(), Y.tolist())[0][10], list)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"image_shape": (8, 9)}, "X: expected [N, 72], since image_shape is (8, 9), got [10, 64]"),
        (
            {"image_shape": (8, 8), "value_range": (0, 0.5)},
            "X: expected values in [0, 0.5], the value_range, got [0, 1]",
        ),
        ({"image_shape": (8, 8), "value_range": (1, 0)}, "X: expected values in [1, 0]"),
    ],
)
def test_a_table_of_another_shape_or_range_is_refused(options, words):
    X = np.linspace(0, 1, 640).reshape(10, 64)
    with pytest.raises(DataError, match=re.escape(words)):
        drawing("oversample", **options).fit_resample(X, Y)
