"""The formulas of the metrics give the values of independent implementations on the same data."""

import numpy as np
import pytest
import torch
from genaug import metric
from genaug.config import MetricConfig
from genaug.evaluation.baselines import over_spaces
from genaug.metric import Measured, related, squared_mmd
from genaug.metrics import functional
from genaug.metrics.distributions import KID, SSIM
from genaug.metrics.plugin import InceptionScoreConfig, TSTRConfig
from genaug.metrics.scores import InceptionScore
from genaug.metrics.shares import TSTR
from genaug.registry import load_registry
from genaug.testing import MetricContract
from genaug.testing.material import tiny_split
from scipy.linalg import sqrtm
from skimage.metrics import structural_similarity
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kernel_mmd
from torch_fidelity.metric_prc import prc_features_to_metric


def features(seed, count=60, width=8, shift=0.0):
    return torch.from_numpy(np.random.default_rng(seed).normal(shift, 1, (count, width))).float()


REAL, SYNTHETIC = features(0), features(1, count=50, shift=0.4)


@pytest.mark.parametrize("channels", [1, 3])
def test_ssim_of_all_pairs_is_scikit_images(channels):
    chance = np.random.default_rng(0)
    first = torch.from_numpy(chance.uniform(-1, 1, (4, channels, 24, 16))).float()
    second = (0.7 * first[[1, 0, 3]] + 0.1).clamp(-1, 1)
    expected = [
        [
            structural_similarity(*(((image + 1) / 2).numpy() for image in (one, two)), data_range=1, channel_axis=0)
            for two in second
        ]
        for one in first
    ]
    assert np.abs(functional.ssim_pairs(first, second).numpy() - np.array(expected)).max() < 1e-6


def test_ssim_does_not_depend_on_how_many_images_are_taken_at_a_time(monkeypatch):
    images = torch.rand(7, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    whole = functional.ssim_pairs(images, images)
    monkeypatch.setattr(functional, "_IMAGES", 2)
    assert torch.allclose(functional.ssim_pairs(images, images), whole, atol=1e-7)


def test_ssim_of_many_images_is_that_of_five_hundred_of_each():
    images = torch.rand(901, 1, 7, 7, generator=torch.Generator().manual_seed(0)) * 2 - 1
    many = Measured(images, torch.zeros(901, dtype=torch.int64))
    few = Measured(images[:3], torch.zeros(3, dtype=torch.int64))
    some = images[torch.linspace(0, 900, 500).round().long()]
    expected = functional.ssim_pairs(some, images[:3]).mean().item()
    assert SSIM(MetricConfig()).compute(many, few)["ssim"] == pytest.approx(expected, abs=1e-6)


def test_ssim_refuses_images_smaller_than_its_window():
    with pytest.raises(ValueError, match="at least 7 pixels, got 6x16"):
        functional.ssim_pairs(torch.zeros(1, 1, 6, 16), torch.zeros(1, 1, 6, 16))


def test_frechet_distance_is_that_of_the_formula():
    one, two = REAL.double().numpy(), SYNTHETIC.double().numpy()
    covariances = [np.cov(rows, rowvar=False) for rows in (one, two)]
    root = sqrtm(covariances[0] @ covariances[1]).real
    expected = ((one.mean(0) - two.mean(0)) ** 2).sum() + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert functional.frechet_distance(REAL, SYNTHETIC) == pytest.approx(expected, rel=1e-3)


def test_kid_is_torch_fidelitys_over_all_images_at_once():
    same = features(1, shift=0.4)  # torch-fidelity takes equal numbers
    settings = {
        "kid_kernel": "poly",
        "kid_kernel_poly_degree": 3,
        "kid_kernel_poly_gamma": None,
        "kid_kernel_poly_coef0": 1.0,
    }
    expected = kernel_mmd(REAL.double().numpy(), same.double().numpy(), **settings)
    assert squared_mmd(functional.polynomial_kernels(REAL, same)) == pytest.approx(expected, rel=1e-3)


def test_the_gaussian_kernel_distance_is_the_double_sum_of_the_formula():
    both = torch.cat([REAL, SYNTHETIC]).double()
    squares = ((both[:, None] - both[None]) ** 2).sum(-1)
    scale = np.quantile(squares[np.triu_indices(len(both), 1)], 0.5, method="lower")
    kernel = torch.exp(-squares / float(scale)).numpy()
    n = len(REAL)
    one, two, across = kernel[:n, :n], kernel[n:, n:], kernel[:n, n:]
    pairs = [np.mean(part[~np.eye(len(part), dtype=bool)]) for part in (one, two)]
    expected = sum(pairs) - 2 * across.mean()
    assert squared_mmd(functional.gaussian_kernels(REAL, SYNTHETIC)) == pytest.approx(expected, rel=1e-3)


def test_kernel_distances_of_many_images_are_those_of_evenly_spaced_ones(monkeypatch):
    both = [Measured(values, torch.zeros(len(values), dtype=torch.int64)) for values in (REAL, SYNTHETIC)]
    monkeypatch.setattr(metric, "_MOST_KERNELS", 10)
    whole = [Measured(torch.arange(count), torch.arange(count)) for count in (10, 11, 19, 28)]
    assert [metric.thinned(images).values.tolist()[-3:] for images in whole] == [
        [7, 8, 9],
        [7, 8, 10],
        [14, 16, 18],
        [21, 24, 27],
    ]
    expected = squared_mmd(functional.polynomial_kernels(*(metric.thinned(images).values for images in both)))
    assert KID(MetricConfig()).compute(*both)["kid"] == pytest.approx(expected, rel=1e-9)


def test_the_inception_score_is_torch_fidelitys():
    logits = torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
    expected = isc_features_to_metric(logits, splits=1, shuffle=False)["inception_score_mean"]
    assert functional.inception_score(logits.softmax(dim=1)) == pytest.approx(expected, rel=1e-3)


def test_the_inception_score_of_ten_parts_is_torch_fidelitys_whatever_the_order_of_the_classes():
    logits = torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
    expected = isc_features_to_metric(logits, splits=10, shuffle=False)["inception_score_mean"]
    assert functional.inception_score(logits.softmax(dim=1), 10) == pytest.approx(expected, rel=1e-3)
    labels = torch.arange(10).repeat_interleave(20)
    sure = 8 * torch.nn.functional.one_hot(labels).double()
    shuffled = [isc_features_to_metric(sure, splits=10, rng_seed=seed)["inception_score_mean"] for seed in range(50)]
    ours = InceptionScore(InceptionScoreConfig(splits=10)).compute(*[Measured(sure.softmax(dim=1), labels)] * 2)["is"]
    assert abs(ours - np.mean(shuffled)) < 3 * np.std(shuffled)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_precision_and_recall_are_torch_fidelitys(k):
    options = {"prc_neighborhood": k, "save_cpu_ram": False, "verbose": False}
    expected = prc_features_to_metric(SYNTHETIC, REAL, **options)
    assert functional.precision(REAL, SYNTHETIC, k) == pytest.approx(expected["precision"], rel=1e-3)
    assert functional.recall(REAL, SYNTHETIC, k) == pytest.approx(expected["recall"], rel=1e-3)


def test_density_and_coverage_follow_their_definition():
    k, real, synthetic = 3, REAL.numpy(), SYNTHETIC.numpy()
    within = np.linalg.norm(real[:, None] - real[None], axis=-1)
    radii = np.sort(within, axis=1)[:, k]  # the first is the image itself
    inside = np.linalg.norm(real[:, None] - synthetic[None], axis=-1) <= radii[:, None]
    assert functional.density(REAL, SYNTHETIC, k) == pytest.approx(inside.sum() / (k * len(synthetic)))
    assert functional.coverage(REAL, SYNTHETIC, k) == pytest.approx(inside.any(axis=1).mean())


def test_copies_are_found_and_other_images_are_not():
    new = features(7, count=30)
    copies = functional.copies(REAL, torch.cat([REAL[:10] + 1e-4, new]), 0.01)
    assert copies[:10].all()
    assert copies[10:].double().mean() < 0.1


def test_files_of_one_picture_do_not_hide_copies():
    """Of forty pictures four occur twice: the distances of these pairs do not say how near different pictures lie."""
    real = torch.cat([REAL[:40], REAL[:4]])
    number = torch.cat([torch.arange(40), torch.arange(4)])
    twins = number[:, None] == number
    assert functional.copies(real, REAL[:40] + 1e-3, 0.01, twins).all()
    assert not functional.authentic(real, REAL[:40] + 1e-3, twins).any()
    assert functional.copies(real, features(7, count=30), 0.01, twins).double().mean() < 0.1
    assert functional.copies(REAL[:2], REAL[:2], 0.01, torch.ones(2, 2, dtype=torch.bool)).all()


def test_with_one_real_image_no_image_is_called_a_copy():
    assert not functional.copies(REAL[:1], REAL[:1], 0.01).any()


def test_copies_are_not_authentic_and_distant_images_are():
    assert not functional.authentic(REAL, REAL + 1e-6).any()
    assert functional.authentic(REAL, REAL + 100).all()


def test_unbiased_distances_of_equal_distributions_are_zero_on_average():
    values = [squared_mmd(functional.gaussian_kernels(features(s, 20), features(500 + s, 30))) for s in range(300)]
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(300)


def children(seed, kind, count=30):
    """Real features and ones generated from them: copies, or means of two, whose variance is too small by half."""
    chance = np.random.default_rng(seed)
    real = torch.from_numpy(chance.normal(size=(count, 8))).float()
    parents = torch.from_numpy(chance.integers(0, count, (count, 1 if kind == "copies" else 2)))
    labels, own = torch.zeros(count, dtype=torch.int64), torch.arange(count)[:, None]
    return Measured(real, labels, own), Measured(real[parents].mean(dim=1), labels, parents)


@pytest.mark.parametrize("kind", ["copies", "means"])
def test_images_generated_from_real_ones_have_the_distance_of_independent_images(kind):
    """That is the distance to other real images, from which none was generated."""
    dependent = [children(seed, kind) for seed in range(400)]
    others = [children(9000 + seed, kind)[0] for seed in range(400)]
    independent = [
        (Measured(real.values, real.labels, real.duplicate_groups + 1000), synthetic)
        for real, (_, synthetic) in zip(others, dependent, strict=True)
    ]
    values, expected = ([KID(MetricConfig()).compute(*pair)["kid"] for pair in s] for s in (dependent, independent))
    error = np.sqrt((np.var(values) + np.var(expected)) / 400)
    assert abs(np.mean(values) - np.mean(expected)) < 4 * error
    assert (np.mean(values) > 10 * np.std(values) / 20) == (kind == "means")


def test_images_with_a_group_in_common_are_related():
    one = Measured(torch.zeros(3, 1), torch.zeros(3), torch.tensor([[0], [1], [1]]))
    two = Measured(torch.zeros(2, 1), torch.zeros(2), torch.tensor([[1, 7], [-1, -1]]))
    assert related(one, two).tolist() == [[False, False], [True, False], [True, False]]
    assert not related(two, two)[1].any()
    assert torch.equal(one.rows(torch.tensor([2, 0])).duplicate_groups, torch.tensor([[1], [0]]))


def test_the_frechet_distance_of_few_images_needs_no_large_matrices():
    one, two = features(2, count=12, width=40).double(), features(3, count=9, width=40, shift=0.3).double()
    covariances = [torch.cov(rows.T).numpy() for rows in (one, two)]
    root = np.trace(sqrtm(covariances[0] @ covariances[1]).real)
    expected = float((one.mean(0) - two.mean(0)).square().sum()) + np.trace(sum(covariances)) - 2 * root
    assert functional.frechet_distance(one, two) == pytest.approx(expected, rel=1e-3)
    assert functional.frechet_distance(features(2, 8, 200_000), features(3, 8, 200_000)) > 0


def test_too_few_images_give_no_number_rather_than_a_wrong_one():
    assert np.isnan(squared_mmd(functional.polynomial_kernels(REAL[:1], SYNTHETIC)))
    assert np.isnan(functional.frechet_distance(REAL[:1], SYNTHETIC))


def test_train_on_synthetic_recognises_real_images_of_the_same_kind():
    from genaug.images import to_float

    split = tiny_split(1, 16, 16, counts=(12, 12))
    images = Measured(to_float(split.images), torch.from_numpy(split.labels))
    good = TSTR(TSTRConfig(steps=60)).compute(images, images)["tstr"]
    wrong = TSTR(TSTRConfig(steps=60)).compute(images, Measured(images.values, 1 - images.labels))["tstr"]
    assert (good, wrong) == (1.0, 0.0)


def contract_of(name):
    return type(f"Test{name.title()}", (MetricContract,), {"metric": name, "__module__": __name__})


globals().update({kit.__name__: kit for kit in map(contract_of, load_registry().metrics.names())})


class TestTstr(MetricContract):
    metric = "tstr"
    settings = {"steps": 20}


class TestNovelty(MetricContract):
    metric = "novelty"
    harm = "copies"


class TestAuthenticity(MetricContract):
    metric = "authenticity"
    harm = "copies"


def test_values_whose_names_differ_between_calls_are_missing_where_they_were_not_given():
    class ByCount(metric.Metric[MetricConfig]):
        needs = "features"
        higher_is_better = True

        def compute(self, real, synthetic):
            return {"always": 1.0, f"of {len(synthetic)}": float(len(synthetic))}

    pairs = [(two, two) for two in (Measured(torch.zeros(n, 2), torch.zeros(n, dtype=torch.int64)) for n in (3, 4))]
    assert over_spaces(ByCount(MetricConfig()), pairs) == {"always": 1.0, "of 3": 3.0}
