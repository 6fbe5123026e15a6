"""95 % intervals cover 92 to 98 % of 1,000 simulations, or 500 where one takes long of each case."""

import numpy as np
import pytest
import torch
from genaug.metric import squared_mmd
from genaug.metrics import functional
from genaug.metrics.intervals import Z, mmd_standard_error, share_interval

REPEATS, KERNEL_REPEATS = 1000, 500


def kernel_coverage(kernels, n, m, shift, seed):
    chance, results = np.random.default_rng(seed), []
    scales = np.linspace(0.5, 1.5, 16)
    for _ in range(KERNEL_REPEATS):
        one, two = (torch.from_numpy(chance.normal(0, 1, (size, 16)) * scales) for size in (n, m))
        two[:, :2] += shift
        matrices = kernels(one, two)
        results.append((squared_mmd(matrices), mmd_standard_error(matrices)))
    values, errors = np.array(results).T
    return np.mean(np.abs(values - values.mean()) <= Z * errors)


@pytest.mark.parametrize("shift", [0.0, 0.6])
@pytest.mark.parametrize(("n", "m"), [(60, 60), (30, 100), (12, 40)])
@pytest.mark.parametrize("kernels", [functional.gaussian_kernels, functional.polynomial_kernels])
def test_intervals_of_kernel_distances_cover_95_percent(kernels, n, m, shift):
    assert 0.92 <= kernel_coverage(kernels, n, m, shift, seed=n + m) <= 0.98


@pytest.mark.parametrize("shift", [0.0, 0.6])
@pytest.mark.parametrize("kernels", [functional.gaussian_kernels, functional.polynomial_kernels])
def test_intervals_of_means_over_thirds_cover_95_percent(kernels, shift):
    """As in classifier features, where each fold is compared separately."""
    chance, values, errors = np.random.default_rng(3), [], []
    for _ in range(3 * KERNEL_REPEATS):
        one, two = (torch.from_numpy(chance.normal(0, 1, (size, 16))) for size in (68, 67))
        two[:, :2] += shift
        matrices = kernels(one, two)
        values.append(squared_mmd(matrices))
        errors.append(mmd_standard_error(matrices))
    means = np.reshape(values, (KERNEL_REPEATS, 3)).mean(axis=1)
    together = np.sqrt(np.square(np.reshape(errors, (KERNEL_REPEATS, 3))).sum(axis=1)) / 3
    assert 0.92 <= np.mean(np.abs(means - means.mean()) <= Z * together) <= 0.98


@pytest.mark.parametrize("share", [0.05, 0.1, 0.5, 0.95])
@pytest.mark.parametrize(("children", "similarity"), [(1, 0.0), (2, 0.6), (4, 0.0), (4, 0.3), (10, 0.6)])
@pytest.mark.parametrize("parent_count", [30, 60])
def test_intervals_of_shares_cover_95_percent_if_images_of_one_parent_are_similar(
    parent_count, share, children, similarity
):
    chance, covered = np.random.default_rng(int(1000 * share) + children), []
    parents = torch.arange(parent_count).repeat_interleave(children)
    for _ in range(REPEATS):
        probability = np.full(parent_count, share)
        if similarity:
            probability = chance.beta(share * (1 / similarity - 1), (1 - share) * (1 / similarity - 1), parent_count)
        verdicts = torch.from_numpy(chance.random(len(parents)) < probability[parents.numpy()])
        interval = share_interval(verdicts, parents)
        covered.append(interval.low <= share <= interval.high)
    assert 0.92 <= np.mean(covered) <= 0.98


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("similarity", [0.3, 0.6])
@pytest.mark.parametrize(
    "sizes",
    [
        [8] * 10 + [4] * 20 + [2] * 30 + [1] * 40,
        [4] * 20 + [1] * 20 + [2] * 10,
        [int(12 / n**0.5) or 1 for n in range(1, 201)],
    ],
    ids=["halves", "two", "tail"],
)
def test_intervals_of_shares_cover_95_percent_if_some_parents_have_more_images(sizes, similarity, share):
    chance, covered = np.random.default_rng(len(sizes)), []
    parents = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    for _ in range(REPEATS):
        probability = chance.beta(share * (1 / similarity - 1), (1 - share) * (1 / similarity - 1), len(sizes))
        verdicts = torch.from_numpy(chance.random(len(parents)) < probability[parents.numpy()])
        interval = share_interval(verdicts, parents)
        covered.append(interval.low <= share <= interval.high)
    assert 0.92 <= np.mean(covered) <= 0.98


@pytest.mark.parametrize("sizes", [[40] * 5 + [1] * 55, [10] * 10 + [1] * 90, [100] + [1] * 29])
def test_there_is_no_interval_of_a_share_if_a_few_parents_have_most_of_the_images(sizes):
    parents = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    assert share_interval(parents % 3 == 0, parents) is None


def test_below_thirty_parents_there_is_no_interval_of_a_share():
    assert share_interval(torch.arange(290) < 100, torch.arange(290) // 10) is None
    assert share_interval(torch.arange(30) < 10, torch.arange(30)) is not None


def test_rare_verdicts_of_few_parents_count_each_parent_once():
    verdicts, parents = torch.arange(240) % 60 == 0, torch.arange(240) // 4
    careful = share_interval(verdicts, parents)
    assert careful.high == pytest.approx(share_interval(torch.arange(60) < 1, torch.arange(60)).high, abs=5e-3)


def test_the_interval_of_no_copies_among_few_images_includes_some_copies():
    interval = share_interval(torch.zeros(60, dtype=torch.bool), torch.arange(60))
    assert interval.low == 0
    assert interval.high == pytest.approx(0.06, abs=0.005)


def test_images_of_one_parent_with_one_verdict_count_as_one():
    verdicts = torch.arange(480) // 8 % 2 == 0
    apart = share_interval(verdicts, torch.arange(480))
    together = share_interval(verdicts, torch.arange(480) // 8)
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_the_jackknife_equals_leaving_out_each_image():
    one, two = torch.randn(8, 3, dtype=torch.float64), torch.randn(7, 3, dtype=torch.float64) + 1
    left_out = [squared_mmd(functional.polynomial_kernels(one[torch.arange(8) != i], two)) for i in range(8)]
    others = [squared_mmd(functional.polynomial_kernels(one, two[torch.arange(7) != i])) for i in range(7)]
    expected = 7 * np.var(left_out) + 6 * np.var(others)
    from genaug.metrics.intervals import _jackknife

    assert _jackknife(functional.polynomial_kernels(one, two)) == pytest.approx(expected, rel=1e-6)


def test_below_twelve_images_there_is_no_interval():
    assert np.isnan(mmd_standard_error(functional.gaussian_kernels(torch.randn(11, 2), torch.randn(90, 2))))
    assert np.isfinite(mmd_standard_error(functional.gaussian_kernels(torch.randn(12, 2), torch.randn(12, 2))))
