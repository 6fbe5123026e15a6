"""A study: leak-proof splits, fair arms, honest intervals, verdicts that a null does not earn."""

import math
import warnings
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from genaug.chance import Noise
from genaug.config import AllowedChanges, parse
from genaug.data.folder import load_folder
from genaug.data.split import TrainSplit
from genaug.errors import DataError, UsageError
from genaug.features import near_groups
from genaug.generator import Batch
from genaug.mixing.batches import EpochBatches
from genaug.mixing.live import MixedDataset
from genaug.spec import ImageSpec
from genaug.study.arms import Arm, real_arms, synthetic_arms
from genaug.study.budget import Budget
from genaug.study.learner import Asked, Learner, RecipeOrder, batch_size, classical_variants, learn
from genaug.study.networks import check_network, make_network
from genaug.study.outcome import Guessed, Outcome
from genaug.study.scores import balanced_accuracy, macro_f1, recalls
from genaug.study.settings import StudyConfig
from genaug.study.splits import halves, split_folds
from genaug.study.statistics import Estimate, over_splits, standard_error, verdicts
from genaug.study.summary import certainty, figure, summary
from genaug.testing.material import tiny_split
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import balanced_accuracy_score, f1_score

from tests.integration.conftest import fill

RECIPE = Arm().recipe


def with_copies(counts=(8, 6, 5), copies=((0, 1), (3, 9))) -> TrainSplit:
    """Random images, some of which are nearly others: (row, row of its near copy)."""
    split = tiny_split(1, 16, 16, counts=counts)
    images = split.images.copy()
    for first, second in copies:
        images[second] = images[first]
        images[second, 0, 0, 0] ^= 1
    return replace(split, images=images)


# splits


@given(seed=st.integers(0, 50), folds=st.integers(2, 5))
@settings(max_examples=20, deadline=None)
def test_near_duplicates_never_straddle_a_split(seed, folds):
    split = with_copies()
    groups = near_groups(split)
    assert groups[3] == groups[9], "the planted pair, of two classes, is one group"
    for fold in split_folds(split, folds=folds, repeats=2, seed=seed):
        assert not set(groups[fold.train]) & set(groups[fold.held_out])
        assert sorted([*fold.train, *fold.held_out]) == list(range(len(split)))
        assert set(split.labels[fold.train]) == {0, 1, 2}


def test_each_image_is_held_out_once_in_each_repeat():
    split = with_copies(copies=())
    for repeat in range(2):
        folds = [fold for fold in split_folds(split, folds=5, repeats=2, seed=1) if fold.repeat == repeat]
        held_out = Counter(row for fold in folds for row in fold.held_out.tolist())
        assert held_out == dict.fromkeys(range(len(split)), 1)


def test_a_class_of_one_picture_is_never_held_out():
    split = with_copies(counts=(8, 6, 2), copies=((14, 15),))
    folds = list(split_folds(split, folds=3, repeats=3, seed=0))
    assert all(2 not in split.labels[fold.held_out] for fold in folds)


def test_splits_are_a_function_of_the_seed():
    split = with_copies()
    first, again = (list(split_folds(split, folds=3, repeats=1, seed=4)) for _ in range(2))
    other = list(split_folds(split, folds=3, repeats=1, seed=5))
    assert all(np.array_equal(one.held_out, two.held_out) for one, two in zip(first, again, strict=True))
    assert any(not np.array_equal(one.held_out, two.held_out) for one, two in zip(first, other, strict=True))


def test_too_few_images_for_the_folds_are_refused():
    with pytest.raises(DataError, match="a study of 5 folds needs a class of at least 5 different images"):
        list(split_folds(tiny_split(1, 16, 16, counts=(3, 3)), folds=5, repeats=1, seed=0))


def test_halves_keep_near_duplicates_together_and_share_every_class():
    split = with_copies()
    sides, groups = halves(split, 0), near_groups(split)
    assert all(len(set(sides[groups == group])) == 1 for group in set(groups))
    assert all(len(set(sides[split.labels == label])) == 2 for label in range(3))


def test_what_a_split_hands_on_holds_nothing_of_the_others(tmp_path):
    fill(tmp_path / "test", {"cat": 2, "dog": 2}, seed=1)
    fill(tmp_path / "train", {"cat": 6, "dog": 5})
    loaded = load_folder(tmp_path)
    seen = loaded.only_training_on({"cat/0.png", "cat/1.png", "dog/4.png"})
    assert set(seen.splits) == {"train"}
    assert seen.train.names == tuple(name for name in loaded.train.names if name in seen.splits["train"].names)
    assert seen.train.spec.counts == (2, 1)
    assert {file.name for files in seen.scan.splits.values() for file in files} == set(seen.train.names)
    assert not np.shares_memory(seen.train.images, loaded.splits["train"].images)
    assert seen.train.images.base is None or len(seen.train.images.base) <= 3


# arms


def test_arms_are_each_there_once_and_the_simplest_come_first():
    recipes = StudyConfig(recipes=("concatenate", "anneal=0.4", "concatenate")).parsed_recipes()
    arms = [*real_arms(), *synthetic_arms(["a", "b"], recipes, (), uneven=False, alone=True)]
    names = [arm.name for arm in arms]
    assert names[:5] == ["real", "real, balanced", "classical", "classical, balanced", "real + a"]
    assert {"classical + b (anneal, start=0.4)", "a only", "b only"} <= set(names)
    assert len(names) == len(set(names)) == 4 + 2 * (2 * 2 + 1)


def test_uneven_classes_give_every_arm_its_balanced_twin():
    arms = synthetic_arms(["a"], [RECIPE], (), uneven=True, alone=False)
    assert [arm.name for arm in arms] == [
        "real + a",
        "real + a, balanced",
        "classical + a",
        "classical + a, balanced",
    ]


def test_counts_are_doses():
    arms = synthetic_arms(["a"], [RECIPE], (0, 50, 100), uneven=False, alone=False)
    assert [arm.name for arm in arms if not arm.classical] == ["real + 50 a", "real + 100 a"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"folds": 1}, "folds"),
        ({"counts": (-1,)}, "expected numbers of images"),
        ({"counts": (0,)}, "expected at least one number of images above 0"),
        ({"fold": 3}, "did you mean 'folds'"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_a_sentence(values, words):
    with pytest.raises(UsageError, match=words):
        parse(StudyConfig, values, "the study")


# classifiers


def mixed(counts=(5, 3), made=4, recipe="concatenate", **more) -> tuple[TrainSplit, MixedDataset]:
    split = tiny_split(3, 16, 16, counts=counts)
    chance = np.random.default_rng(0)
    images = chance.integers(0, 256, (made, 16, 16, 3), dtype=np.uint8)
    labels = np.arange(made) % len(counts)
    return split, MixedDataset.of(split.images, split.labels, images, labels, split.spec.classes, recipe, **more)


@pytest.mark.parametrize("recipe", ["concatenate", "anneal", "replace=0.5", "pretrain=0.3", "balanced", "mixup=1"])
def test_steps_show_what_epochs_of_the_recipe_show(recipe):
    _, live = mixed(recipe=recipe)
    order = RecipeOrder(live, batch_size=6, steps=5, seed=3)
    shown = np.concatenate([order.rows(step, 6) for step in range(5)])
    epochs = math.ceil(30 / EpochBatches(live, batch_size=6, epochs=1, seed=3).images)
    batches = EpochBatches(live, batch_size=6, epochs=epochs, seed=3)
    assert shown.tolist() == np.concatenate([batches.rows(epoch) for epoch in range(epochs)])[:30].tolist()


def test_weights_and_soft_targets_reach_the_loss():
    split, live = mixed(recipe="weight=0.25,soft_labels=0.5", probabilities=torch.full((4, 2), 0.5))
    learner = Learner(split.spec, Asked("small", None, "", 1, "cpu"), live, None, 0)
    learner.networks = {"classifier": torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(768, 2))}
    rows = torch.arange(len(live))
    images = torch.stack([live[row].image for row in rows.tolist()])
    batch = Batch(images, live.labels, rows, 0, 0.0, Noise.per_batch(0, "batch", 0, len(live)))
    ((name, loss),) = learner.losses(batch)
    said = learner.networks["classifier"](images).log_softmax(dim=1)
    weights = torch.tensor([1.0] * 8 + [0.25] * 4)
    targets = torch.nn.functional.one_hot(live.labels, 2).float()
    targets[8:] = targets[8:] / 2 + 0.25
    assert name == "classifier"
    assert loss.item() == pytest.approx((-(targets * said).sum(dim=1) * weights).sum().item() / 9, rel=1e-5)


def test_a_classifier_learns_and_every_arm_takes_the_same_number_of_steps():
    split = tiny_split(3, 16, 16, counts=(12, 12))
    images = split.images // 2 + (split.labels * 128).astype(np.uint8)[:, None, None, None]
    live = MixedDataset.of(images, split.labels, images[:0], split.labels[:0], split.spec.classes)
    bank = classical_variants(images, "light", AllowedChanges(), shown=24 * 40, seed=0)
    assert bank.shape == (24, 12, 16, 16, 3)
    for variants_of in (None, bank):
        asked = Asked("small", None, "", 40, "cpu")
        learner = learn(split.spec, live, asked, variants_of=variants_of, batch=batch_size(24), seed=0)
        assert (learner.predict(images) == split.labels).mean() > 0.9


def test_batches_are_even_and_never_larger_than_the_real_images():
    assert [batch_size(real) for real in (1, 3, 9, 31, 32, 500)] == [2, 2, 8, 30, 32, 32]


SPEC = ImageSpec(1, 32, 32, ("a", "b", "c"), (4, 4, 4))


@pytest.mark.parametrize("name", ["small", "resnet18", "torchvision:mobilenet_v3_small", "timm:resnet10t"])
def test_classifiers_of_three_libraries_work_by_name(name):
    check_network(name, SPEC)
    with torch.random.fork_rng():
        network = make_network(name, SPEC).eval()
    assert network(torch.zeros(2, 1, 32, 32)).shape == (2, 3)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("resnet-18", "unknown classifier 'resnet-18'"),
        ("keras:resnet", "unknown library of classifiers 'keras'"),
        ("torchvision:raft_small", "unknown classifier"),
        ("timm:vit_tiny_patch16_224", "cannot work at 32x32.*take another --size"),
    ],
)
def test_classifiers_that_cannot_be_had_are_refused_in_a_sentence(name, words):
    with pytest.raises(UsageError, match=words):
        check_network(name, SPEC)


def test_a_classifier_begins_with_the_weights_of_a_file_all_but_its_last_layer(tmp_path):
    with torch.random.fork_rng():
        thousand = make_network("resnet18", replace(SPEC, classes=tuple("abcde"), counts=(1,) * 5)).network
        path = tmp_path / "weights.pth"
        torch.save(thousand.state_dict(), path)
        found = make_network("resnet18", SPEC, path).network
    assert torch.equal(found.conv1.weight, thousand.conv1.weight)
    assert found.fc.weight.shape == (3, 512)
    with pytest.raises(DataError, match="weights of another network"):
        check_network("mobilenet_v3_small", SPEC, path)
    with pytest.raises(UsageError, match="always begins from random weights"):
        check_network("small", SPEC, path)


# scores and statistics


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
@settings(deadline=None)
def test_scores_equal_those_of_scikit_learn(pairs):
    labels, guesses = (np.array(column) for column in zip(*pairs, strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert balanced_accuracy(labels, guesses) == pytest.approx(balanced_accuracy_score(labels, guesses))
        assert macro_f1(labels, guesses) == pytest.approx(f1_score(labels, guesses, average="macro"))
    assert np.nanmean(recalls(labels, guesses, 4)) == pytest.approx(balanced_accuracy(labels, guesses))


def test_scores_of_nothing_are_not_a_number():
    none = np.empty(0, np.int64)
    assert math.isnan(balanced_accuracy(none, none))
    assert math.isnan(macro_f1(none, none))


def test_intervals_are_those_of_nadeau_and_bengio():
    values = [0.02, 0.05, -0.01, 0.04, 0.03]
    found = over_splits(values, held_out_share=0.2)
    error = math.sqrt((1 / 5 + 0.2 / 0.8) * np.var(values, ddof=1))
    assert standard_error(values, 0.2) == pytest.approx(error)
    low, high = stats.t.interval(0.95, 4, loc=np.mean(values), scale=error)
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))
    assert found.p == pytest.approx(2 * stats.t.sf(np.mean(values) / error, 4))


def test_numbers_that_do_not_vary_or_are_alone_earn_no_verdict():
    assert over_splits([0.1], 0.2).verdict == "no evidence"
    assert over_splits([0.1, 0.1, 0.1], 0.2).verdict == "no evidence"
    assert over_splits([0.0, 0.0, math.nan], 0.2) == Estimate(0.0, None, None)


def test_several_verdicts_are_corrected_for_their_number():
    sure, barely = Estimate(0.2, 0.1, 0.3, 0.001), Estimate(-0.1, -0.2, -0.001, 0.04)
    assert verdicts([sure, barely]) == ["helps", "harms"]
    assert verdicts([sure, barely, barely]) == ["helps", "no evidence", "no evidence"]
    assert verdicts([Estimate(math.nan, None, None), sure]) == ["no evidence", "helps"]


def outcome_of(guesses: list[list[np.ndarray]], labels: np.ndarray, half: np.ndarray, arms=None) -> Outcome:
    """guesses[arm][split], on the same images in each split."""
    arms = arms or (Arm(), Arm(classical=True), Arm("a"), Arm("b"))
    splits = tuple(Guessed(labels, half, tuple((arm[place],) for arm in guesses)) for place in range(len(guesses[0])))
    return Outcome(arms, 2, splits, 0.2)


def test_no_image_both_chooses_an_arm_and_scores_it():
    labels = np.array([0, 1] * 4)
    half = np.array([False] * 4 + [True] * 4)
    right, wrong = labels, 1 - labels
    left = np.where(half, wrong, labels)  # right on the first half alone
    outcome = outcome_of([[wrong] * 3, [left] * 3, [left] * 3, [np.where(half, labels, wrong)] * 3], labels, half)
    assert [outcome.arms[place].name for place in outcome.chosen_synthetic] == ["real + b", "real + a"]
    assert outcome.chosen_real == (0, 1)
    assert outcome.class_recalls(outcome.chosen_synthetic).tolist() == [0.0, 0.0]
    assert outcome_of([[right] * 2] * 4, labels, half).class_recalls((2, 3)).tolist() == [1.0, 1.0]


def test_the_simplest_of_equals_is_recommended_and_one_split_recommends_real_images():
    labels, half = np.array([0, 1] * 10), np.array([False, False, True, True] * 5)
    chance = np.random.default_rng(0)

    def noisy(error):
        return [np.where(chance.random(20) < error, 1 - labels, labels) for _ in range(8)]

    better = outcome_of([noisy(0.5), noisy(0.45), noisy(0.02), noisy(0.4)], labels, half)
    assert better.arms[better.recommended()].name == "real + a"
    same = noisy(0.3)
    assert outcome_of([same] * 4, labels, half).recommended() == 0
    one = outcome_of([[guess[0]] for guess in (noisy(0.5), noisy(0.5), noisy(0.0), noisy(0.5))], labels, half)
    assert not one.arms[one.recommended()].synthetic


def nearest_centroid(seen: np.ndarray, labels: np.ndarray, fresh: np.ndarray, blur: np.ndarray) -> np.ndarray:
    centroids = np.stack([seen[labels == label].mean(axis=0) for label in np.unique(labels)]) + blur
    return np.linalg.norm(fresh[:, None] - centroids, axis=2).argmin(axis=1)


def simulated(
    chance: np.random.Generator, gain: float, classes=3, each=14, repeats=2, folds=5, arms=2, luck=0.0
) -> Outcome:
    """A real cross-validation on fresh data: nearest centroids of noisy features; synthetic arms see `gain` more.

    luck: standard deviation of the noise that each trained classifier adds to its centroids.
    """
    labels = np.repeat(np.arange(classes), each)
    signals = [1.2] * 4 + [1.2 + gain] * arms
    features = [chance.normal(size=(len(labels), 4)) + signal * np.eye(classes, 4)[labels] for signal in signals]
    half = chance.permutation(len(labels)) % 2 == 0
    splits = []
    for _ in range(repeats):
        place = np.empty(len(labels), dtype=int)
        for label in range(classes):
            place[labels == label] = chance.permutation(each) % folds
        for fold in range(folds):
            out = place == fold
            blurs = luck * chance.normal(size=(len(features), classes, 4))
            pairs = zip(features, blurs, strict=True)
            guesses = tuple((nearest_centroid(seen[~out], labels[~out], seen[out], blur),) for seen, blur in pairs)
            splits.append(Guessed(labels[out], half[out], guesses))
    made = [Arm(f"g{number}") for number in range(arms)]
    return Outcome((*real_arms(), *made), classes, tuple(splits), 1 / folds)


@pytest.mark.parametrize(("arms", "luck"), [(2, 0.0), (8, 0.5)])
def test_of_200_null_studies_at_most_seven_in_a_hundred_claim_anything(arms, luck):
    chance = np.random.default_rng(7)
    studies = [simulated(chance, 0.0, arms=arms, luck=luck) for _ in range(200)]
    found = [outcome.difference(outcome.chosen_synthetic) for outcome in studies]
    assert sum(one.verdict != "no evidence" for one in found) <= 14


def test_a_large_effect_is_found():
    chance = np.random.default_rng(8)
    found = [
        outcome.difference(outcome.chosen_synthetic) for outcome in (simulated(chance, 3.0, each=30) for _ in range(20))
    ]
    assert sum(one.verdict == "helps" for one in found) >= 16
    worse = [one.difference(one.chosen_synthetic) for one in (simulated(chance, -1.2, each=30) for _ in range(20))]
    assert sum(one.verdict == "harms" for one in worse) >= 12


def test_the_summary_says_what_is_not_sure():
    outcome = simulated(np.random.default_rng(1), 0.0)
    told = summary(outcome, ("a", "b", "c"), (14, 14, 14), planned=20)
    assert told["headline"]["sentence"].startswith("No evidence that synthetic images help: balanced accuracy")
    assert told["certainty"].startswith("10 of 20 splits: the difference is known to ±")
    assert told["recommendation"]["sentence"].startswith("Do not use synthetic images: train on real images")
    assert [row["class"] for row in told["classes"]] == ["a", "b", "c"]
    assert all(arm["difference"] is None for arm in told["arms"] if arm["kind"] == "real")


def test_figures_begin_with_the_same_arm_without_synthetic_images():
    arms = (*real_arms(), *synthetic_arms(["a"], [RECIPE], (0, 50, 100), uneven=False, alone=True))
    labels = np.array([0, 1] * 4)
    split = Guessed(labels, labels == 0, tuple((labels,) for _ in arms))
    rows = figure(Outcome(arms, 2, (split, split), 0.2))
    assert [(row["generator"], row["arm"], row["count"]) for row in rows] == [
        ("real + a", "real", 0),
        ("real + a", "real + 50 a", 50),
        ("classical + a", "classical", 0),
        ("classical + a", "classical + 50 a", 50),
        ("real + a", "real + 100 a", 100),
        ("classical + a", "classical + 100 a", 100),
    ]


def test_splits_that_do_not_differ_are_not_called_certain():
    labels = np.array([0, 1] * 4)
    split = Guessed(labels, np.array([False, False, True, True] * 2), tuple((labels,) for _ in range(4)))
    outcome = Outcome((Arm(), Arm(classical=True), Arm("a"), Arm("b")), 2, (split, split), 0.2)
    assert certainty(outcome, 2) == "2 splits: they do not differ, so it cannot be told how sure anything is."
    told = summary(outcome, ("a", "b"), (4, 4), 2)
    assert told["headline"]["difference"]["low"] is None
    assert told["headline"]["verdict"] == "no evidence"


def test_a_budget_ends_before_a_round_that_would_not_fit_and_remembers_how_long_one_takes(tmp_path):
    memory = tmp_path / "pace.json"
    without, short = Budget(None, memory, "a"), Budget(1e-9, memory, "a")
    assert not short.longest
    with short.round(2):
        pass
    assert without.allows(trial=True)
    assert not short.allows(trial=False)
    assert short.pace() is not None
    assert without.pace() is None
    assert Budget(60, memory, "a").longest == short.longest > 0
    assert not Budget(60, memory, "b").longest
