"""Each selector rejects planted images of the kind that it is for, and keeps others."""

import numpy as np
import pytest
import torch
from genaug.data.split import TrainSplit
from genaug.features import near_groups
from genaug.images import to_float
from genaug.selector import Candidates
from genaug.selectors.consistency import ConsistencySelector
from genaug.selectors.diversity import DiversitySelector, k_centres
from genaug.selectors.likeness import distances, prepared
from genaug.selectors.novelty import NoveltySelector, disturbed
from genaug.selectors.plugin import (
    ConsistencySelectorConfig,
    DiversitySelectorConfig,
    NoveltySelectorConfig,
    RealismSelectorConfig,
)
from genaug.selectors.realism import RealismSelector
from genaug.spec import ImageSpec
from genaug.testing import SelectorContract
from scipy.signal import correlate2d
from scipy.spatial.distance import cdist

SIDE = 32


def pictures(count: int, seed: int, centre: float = 0.0) -> np.ndarray:
    """Smooth random colour images uint8 [N, 32, 32, 3]: blurred noise without near-duplicates."""
    chance = np.random.default_rng(seed)
    coarse = torch.from_numpy(chance.normal(centre, 1.0, (count, 3, 8, 8)))
    smooth = torch.nn.functional.interpolate(coarse, size=(SIDE, SIDE), mode="bicubic")
    return ((smooth.clamp(-2.5, 2.5) + 2.5) / 5 * 220).permute(0, 2, 3, 1).numpy().astype(np.uint8)


class PlaneTools:
    """Tools whose features are image means by quarter, and whose probabilities follow the brightness: two classes."""

    def __init__(self, train: TrainSplit) -> None:
        self.folds = torch.arange(len(train)) % 2

    def features(self, images, sources):
        return torch.nn.functional.adaptive_avg_pool2d(images, 2).flatten(1)

    def probabilities(self, images, sources):
        bright = torch.sigmoid(20 * images.mean(dim=(1, 2, 3)))
        return torch.stack([1 - bright, bright], dim=1)

    def stream(self, purpose):
        raise AssertionError("no selector here draws")


@pytest.fixture(scope="module")
def train() -> TrainSplit:
    images = np.concatenate([pictures(20, 1, -0.7), pictures(20, 2, 0.7)])
    labels = np.repeat([0, 1], 20)
    names = [f"{place:02d}.png" for place in range(40)]
    return TrainSplit.ordered(ImageSpec(3, SIDE, SIDE, ("dark", "bright"), (20, 20)), images, labels, names, names)


def verdicts_of(selector, train, images, *, label=0, accepted=None, wanted=100):
    selector.fit(train, PlaneTools(train))
    floats = to_float(images)
    sources = torch.arange(len(images)) % len(train)
    candidates = Candidates(floats, label, torch.empty((len(images), 0), dtype=torch.int64), sources)
    return selector.judge(candidates, floats[:0] if accepted is None else to_float(accepted), wanted)


def kept(verdicts) -> list[bool]:
    return [verdict.keep for verdict in verdicts]


class TestNovelty(SelectorContract):
    selector = "novelty"


class TestConsistency(SelectorContract):
    selector = "consistency"


class TestRealism(SelectorContract):
    selector = "realism"


class TestDiversity(SelectorContract):
    selector = "diversity"


def shifted(images, down=2, right=2):
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="edge")
    return padded[:, 2 + down : 2 + down + SIDE, 2 + right : 2 + right + SIDE]


@pytest.mark.parametrize(
    "change",
    [
        lambda images: images,
        shifted,
        lambda images: shifted(images, -2, 1),
        lambda images: np.clip(images * 1.15, 0, 255).astype(np.uint8),
        lambda images: np.stack([disturbed(image) for image in images]),
    ],
    ids=["as it is", "shifted", "shifted otherwise", "brightened", "all and re-encoded"],
)
def test_copies_of_training_images_are_rejected(train, change):
    verdicts = verdicts_of(NoveltySelector(NoveltySelectorConfig()), train, change(train.images))
    assert sum(kept(verdicts)) <= 2
    assert all("a copy of" in verdict.reason and ".png" in verdict.reason for verdict in verdicts if not verdict.keep)
    assert all(train.names[one.copied] in one.reason for one in verdicts if not one.keep)
    assert np.mean([one.copied == row for row, one in enumerate(verdicts) if not one.keep]) > 0.9


def test_copies_are_found_if_training_images_are_duplicated(train):
    twice = np.concatenate([np.arange(20), np.arange(20, 40), np.arange(20)])
    names = [f"{place:02d}.png" for place in range(60)]
    spec = ImageSpec(3, SIDE, SIDE, ("dark", "bright"), (40, 20))
    doubled = TrainSplit.ordered(spec, train.images[twice], train.labels[twice], names, names)
    noisy = np.clip(
        train.images[:10].astype(int) + np.random.default_rng(0).integers(-3, 4, (10, SIDE, SIDE, 3)), 0, 255
    )
    assert not any(kept(verdicts_of(NoveltySelector(NoveltySelectorConfig()), doubled, noisy.astype(np.uint8))))
    assert sum(kept(verdicts_of(NoveltySelector(NoveltySelectorConfig()), doubled, pictures(20, 9, -0.7)))) > 15


def test_copies_are_found_if_all_training_images_are_near_duplicates(train):
    shaken = train.images[:1].astype(int) + np.random.default_rng(0).integers(-5, 6, (20, SIDE, SIDE, 3))
    images, names = np.clip(shaken, 0, 255).astype(np.uint8), [f"{place:02d}.png" for place in range(20)]
    burst = TrainSplit.ordered(ImageSpec(3, SIDE, SIDE, ("a",), (20,)), images, np.zeros(20, np.int64), names, names)
    assert len(np.unique(near_groups(burst))) == 1
    assert not any(kept(verdicts_of(NoveltySelector(NoveltySelectorConfig()), burst, burst.images)))


def test_new_images_are_kept(train):
    verdicts = verdicts_of(NoveltySelector(NoveltySelectorConfig()), train, pictures(40, 3, -0.7))
    assert sum(kept(verdicts)) >= 36
    assert all(verdict.score > 0 for verdict in verdicts if verdict.keep)


def test_an_image_that_repeats_an_accepted_one_is_rejected(train):
    fresh = pictures(6, 4, -0.7)
    alone = kept(verdicts_of(NoveltySelector(NoveltySelectorConfig()), train, fresh))
    assert all(alone)
    again = verdicts_of(
        NoveltySelector(NoveltySelectorConfig()), train, np.concatenate([fresh[3:], fresh[3:]]), accepted=fresh[:3]
    )
    assert kept(again) == [True] * 3 + [False] * 3
    assert not any(
        kept(verdicts_of(NoveltySelector(NoveltySelectorConfig()), train, shifted(fresh[:3]), accepted=fresh[:3]))
    )


def test_a_class_of_one_image_can_be_judged():
    alone = TrainSplit.ordered(ImageSpec(3, SIDE, SIDE, ("a",), (1,)), pictures(1, 5), np.array([0]), ["a"], ["a"])
    assert kept(verdicts_of(NoveltySelector(NoveltySelectorConfig()), alone, pictures(3, 6))) == [True] * 3


def test_likeness_is_the_best_normalised_cross_correlation_of_scipy():
    first, second = prepared(to_float(pictures(2, 7))), prepared(to_float(pictures(2, 8)))
    one, two = first[0, 0].numpy().astype(float), second[1, 0].numpy().astype(float)
    best = -1.0
    for down in range(-2, 3):
        for right in range(-2, 3):
            part = one[max(0, down) : 31 + min(0, down), max(0, right) : 31 + min(0, right)]
            other = two[max(0, -down) : 31 + min(0, -down), max(0, -right) : 31 + min(0, -right)]
            part, other = part - part.mean(), other - other.mean()
            norm = np.linalg.norm(part) * np.linalg.norm(other)
            best = max(best, float(correlate2d(part, other, mode="valid")[0, 0]) / norm)
    assert float(distances(first, second)[0, 1]) == pytest.approx(1 - best, abs=1e-5)


def test_flat_images_resemble_no_image():
    flat = prepared(torch.zeros(1, 3, SIDE, SIDE))
    assert distances(flat, torch.cat([flat, prepared(to_float(pictures(1, 9)))])).tolist() == [[1.0, 1.0]]


def test_images_of_another_class_are_rejected_and_held_out_ones_of_the_right_class_are_kept(train):
    right = kept(verdicts_of(ConsistencySelector(ConsistencySelectorConfig()), train, pictures(40, 10, -0.7), label=0))
    verdicts = verdicts_of(ConsistencySelector(ConsistencySelectorConfig()), train, pictures(40, 11, 0.7), label=0)
    assert sum(right) >= 34
    assert sum(kept(verdicts)) <= 6
    assert "looks like bright, not like dark" in next(verdict.reason for verdict in verdicts if not verdict.keep)


def test_the_least_probability_decides(train):
    images = pictures(60, 10, 0.4)
    for least in (0.4, 0.5, 0.6):
        verdicts = verdicts_of(ConsistencySelector(ConsistencySelectorConfig(least=least)), train, images)
        assert 0 < sum(kept(verdicts)) < 60
        assert kept(verdicts) == [verdict.score >= least for verdict in verdicts]
    assert any("looks like dark, but not clearly" in verdict.reason for verdict in verdicts)


def test_doubtful_candidates_are_rejected_even_if_the_judges_doubt_real_images_too(train):
    doubtful = pictures(40, 12, 0.4)
    names = [f"{place:02d}.png" for place in range(40)]
    unsure = TrainSplit.ordered(train.spec, doubtful, train.labels, names, names)
    selectors = (ConsistencySelector(ConsistencySelectorConfig(level=1.0)) for _ in range(2))
    images = pictures(60, 10, 0.4)
    sure, other = (verdicts_of(one, split, images) for one, split in zip(selectors, (train, unsure), strict=True))
    assert kept(sure) == kept(other)


def test_a_class_that_is_recognised_no_better_than_by_chance_is_refused(train):
    """Half of the class bright is dark: 10 of 20 right of two classes are not above chance, 20 of 20 are."""
    images = np.concatenate([pictures(20, 1, -3.0), pictures(10, 2, 3.0), pictures(10, 3, -3.0)])
    names = [f"{place:02d}.png" for place in range(40)]
    mixed = TrainSplit.ordered(train.spec, images, np.repeat([0, 1], 20), names, names)
    selector = ConsistencySelector(ConsistencySelectorConfig())
    verdicts = verdicts_of(selector, mixed, pictures(5, 4, 3.0), label=1)
    why = "the judges recognise 10 of 20 of its held-out images, not more than chance"
    assert selector.refused() == {1: why}
    assert {(verdict.keep, verdict.reason) for verdict in verdicts} == {(False, why)}
    assert all(kept(verdicts_of(selector, mixed, pictures(5, 4, -3.0), label=0)))
    untested = ConsistencySelector(ConsistencySelectorConfig(level=1.0))
    assert all(kept(verdicts_of(untested, mixed, images[20:30], label=1)))


def test_one_class_alone_is_never_refused(train):
    spec, names = ImageSpec(3, SIDE, SIDE, ("a",), (2,)), ["a", "b"]
    alone = TrainSplit.ordered(spec, pictures(2, 5), np.zeros(2, np.int64), names, names)
    selector = ConsistencySelector(ConsistencySelectorConfig())
    selector.fit(alone, PlaneTools(alone))
    assert selector.refused() == {}


def test_outliers_are_rejected(train):
    selector = RealismSelector(RealismSelectorConfig())
    assert sum(kept(verdicts_of(selector, train, pictures(40, 14, -0.7)))) >= 32
    extreme = np.zeros((4, SIDE, SIDE, 3), np.uint8)
    extreme[:, :16, :16] = 255
    verdicts = verdicts_of(selector, train, extreme)
    assert not any(kept(verdicts))
    assert "an outlier" in verdicts[0].reason


def test_the_most_different_ones_are_chosen(train):
    groups = np.repeat(pictures(4, 15), 5, axis=0)
    noisy = np.clip(groups + np.random.default_rng(0).integers(-3, 4, groups.shape), 0, 255).astype(np.uint8)
    verdicts = verdicts_of(DiversitySelector(DiversitySelectorConfig()), train, noisy, wanted=4)
    assert sorted(place // 5 for place, keep in enumerate(kept(verdicts)) if keep) == [0, 1, 2, 3]
    assert sum(kept(verdicts_of(DiversitySelector(DiversitySelectorConfig()), train, noisy, wanted=30))) == 20


def test_k_centres_cover_within_twice_the_best_radius():
    points = np.random.default_rng(3).normal(size=(14, 2))
    order, gaps = k_centres(torch.from_numpy(points), 3)
    radius = cdist(points, points[order]).min(axis=1).max()
    found = cdist(points, points)
    best = min(
        found[:, [a, b, c]].min(axis=1).max() for a in range(14) for b in range(a + 1, 14) for c in range(b + 1, 14)
    )
    assert len(set(order)) == 3
    assert radius <= 2 * best + 1e-12
    assert gaps == sorted(gaps, reverse=True)
