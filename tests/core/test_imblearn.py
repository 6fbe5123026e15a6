"""imbalanced-learn's own common checks, run on GenerativeSampler with image_shape; each exception has its reason."""

from collections import Counter

import numpy as np
import pytest
from genaug import GenerativeSampler
from sklearn.datasets import make_classification

checks = pytest.importorskip("imblearn.utils.estimator_checks")

TWO_COLUMNS = {"check_samplers_fit", "check_samplers_one_label", "check_target_type"}  # their X has as many
EXCEPTIONS = {
    "check_sampler_get_feature_names_out": "pixels have no names",
    "check_sampler_get_feature_names_out_pandas": "pixels have no names",
    "check_samplers_multiclass_ova": "labels are numbers or texts, one for each image, not rows of zeros and ones",
    "check_samplers_nan": "a pixel has a value",
    "check_samplers_one_label": "it is refused in the same words, but errors of genaug are GenaugError, not ValueError",
    "check_samplers_pandas": "a table of pandas comes back as an array",
    "check_samplers_pandas_sparse": "images are not sparse",
    "check_samplers_sample_indices": "it asks for sampler_tags, which only classes of imbalanced-learn have",
    "check_samplers_sparse": "images are not sparse",
    "check_samplers_string": "a pixel is a number",
    "check_target_type": "whole numbers and texts are labels whatever their number; others are refused by GenaugError",
}
ALL = sorted(name for name in vars(checks) if name.startswith(("check_sampler", "check_target")))


def small_table():
    """Their data set of 1,000 rows of 20 columns, with 60 rows."""
    return make_classification(n_samples=60, n_classes=3, n_informative=4, weights=[0.2, 0.3, 0.5], random_state=0)


@pytest.mark.parametrize("name", ALL)
def test_a_common_check_passes_or_is_a_named_exception(name, monkeypatch):
    monkeypatch.setattr(checks, "sample_dataset_generator", small_table)
    shape = (1, 2) if name in TWO_COLUMNS else (4, 5)
    sampler = GenerativeSampler("oversample", image_shape=shape, value_range=(-20, 20), select=(), workers=1)
    if name in EXCEPTIONS:
        with pytest.raises(Exception):  # noqa: B017, PT011 - any; the reason is written above
            getattr(checks, name)("GenerativeSampler", sampler)
    else:
        getattr(checks, name)("GenerativeSampler", sampler)


def test_every_exception_is_one_of_their_checks():
    assert set(EXCEPTIONS) <= set(ALL)
    assert len(ALL) - len(EXCEPTIONS) == 6


def test_a_check_that_asserts_for_their_own_samplers_alone_holds_here_too():
    images, labels = small_table()
    sampler = GenerativeSampler("oversample", image_shape=(4, 5), value_range=(-20, 20), select=(), workers=1)
    resampled, classes = sampler.fit_resample(images, labels)
    assert set(Counter(classes.tolist()).values()) == {max(Counter(labels.tolist()).values())}
    assert np.array_equal(resampled[: len(images)], images)
