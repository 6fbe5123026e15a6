"""Studies: leak-proof splits, fair arms, honest intervals, and verdicts that studies without an effect do not get."""

import base64
import io
import math
import warnings
from collections import Counter
from dataclasses import replace
from itertools import combinations

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
from genaug.studies.arms import Arm, real_arms, synthetic_arms
from genaug.studies.budget import Budget
from genaug.studies.classifier_training import batch_size, study_training
from genaug.studies.label_errors import suspected_labels
from genaug.studies.learner import ClassifierSpec, Learner, RecipeOrder, learn
from genaug.studies.networks import check_network, in_order, make_network
from genaug.studies.outcome import SplitPredictions, StudyOutcome
from genaug.studies.scored_images import ScoredImages
from genaug.studies.scores import balanced_accuracy, macro_f1, recalls
from genaug.studies.settings import StudyConfig
from genaug.studies.splits import halves, split_folds
from genaug.studies.statistics import Estimate, over_splits, standard_error, verdicts
from genaug.studies.summary import certainty, figure, summary
from genaug.testing.material import tiny_split
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import stats
from sklearn.metrics import balanced_accuracy_score, f1_score

from tests.folders import fill

RECIPE = Arm().recipe
ONE_STEP = ClassifierSpec("small", None, "", 1, "cpu")


def with_copies(counts=(8, 6, 5), copies=((0, 1), (3, 9))) -> TrainSplit:
    """Random images with near-duplicates. copies: pairs of a row and the row of its near-duplicate."""
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


def test_a_class_of_one_image_and_its_near_duplicate_is_never_held_out():
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


def test_halves_keep_near_duplicates_together_and_both_have_every_class():
    split = with_copies()
    groups = near_groups(split)
    half = halves(split.labels, groups, 0)
    assert all(len(set(half[groups == group])) == 1 for group in set(groups))
    assert all(len(set(half[split.labels == label])) == 2 for label in range(3))


def test_an_image_that_every_classifier_calls_another_class_is_a_suspect():
    train = tiny_split(3, 16, 16, counts=(3, 3, 2))
    arms = (*real_arms()[:2], Arm("a", real=False))
    held_out = [np.array([0, 1, 3, 6]), np.array([0, 1, 4, 6])]
    right, alone = [np.array([0, 0, 1, 2]), np.array([0, 0, 1, 2])], np.array([0, 0, 0, 0])
    said = [[[2, 0, 0, 0], [2, 1, 2, 0]], [[1, 1, 0, 1], [2, 1, 0, 1]]]  # by the two arms with real images
    splits = [
        SplitPredictions(rows, labels, np.zeros(4, bool), (*((np.array(one),) for one in both), (alone,)), 0)
        for rows, labels, both in zip(held_out, right, said, strict=True)
    ]
    outcome = StudyOutcome(arms, 3, tuple(splits), np.arange(8), 0.5)
    scored = ScoredImages(train.images, train.labels, np.arange(8), names=train.names)
    found = suspected_labels(outcome, scored, train.spec.classes)
    assert [(one["file"], one["class"], one["predicted"]) for one in found] == [
        (train.names[0], "a", "c"),
        (train.names[6], "c", "a"),
    ], "image 1 has its own class once, images 3 and 4 only two classifiers"
    assert [(one["agreeing"], one["classifiers"]) for one in found] == [(3, 4), (2, 4)]
    with Image.open(io.BytesIO(base64.b64decode(found[0]["picture"]))) as picture:
        assert np.array_equal(np.asarray(picture), train.images[0])


def test_the_training_part_of_a_split_holds_nothing_of_other_images(tmp_path):
    fill(tmp_path / "test", {"cat": 2, "dog": 2}, seed=1)
    fill(tmp_path / "train", {"cat": 6, "dog": 5})
    loaded = load_folder(tmp_path)
    part = loaded.only_training_on({"cat/0.png", "cat/1.png", "dog/4.png"})
    assert set(part.splits) == {"train"}
    assert part.train.names == tuple(name for name in loaded.train.names if name in part.splits["train"].names)
    assert part.train.spec.counts == (2, 1)
    assert {file.name for files in part.scan.splits.values() for file in files} == set(part.train.names)
    assert not np.shares_memory(part.train.images, loaded.splits["train"].images)
    assert part.train.images.base is None or len(part.train.images.base) <= 3


# arms


def test_every_arm_exists_once_and_the_simplest_are_first():
    recipes = StudyConfig(recipes=("concatenate", "anneal=0.4", "concatenate")).parsed_recipes()
    arms = [*real_arms(), *synthetic_arms(["a", "b"], recipes, (), uneven=False, alone=True)]
    names = [arm.name for arm in arms]
    assert names[:5] == ["real", "real, balanced", "classical", "classical, balanced", "real + a"]
    assert {"classical + b (anneal, start=0.4)", "a only", "b only"} <= set(names)
    assert len(names) == len(set(names)) == 4 + 2 * (2 * 2 + 1)


def test_classes_of_different_sizes_give_every_arm_a_balanced_twin():
    arms = synthetic_arms(["a"], [RECIPE], (), uneven=True, alone=False)
    assert [arm.name for arm in arms] == [
        "real + a",
        "real + a, balanced",
        "classical + a",
        "classical + a, balanced",
    ]


def test_every_count_above_zero_has_its_own_arms():
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
def test_impossible_settings_are_refused_with_a_clear_message(values, words):
    with pytest.raises(UsageError, match=words):
        parse(StudyConfig, values, "the study")


# classifiers


def mixed(counts=(5, 3), synthetic=4, recipe="concatenate", **more) -> tuple[TrainSplit, MixedDataset]:
    split = tiny_split(3, 16, 16, counts=counts)
    chance = np.random.default_rng(0)
    images = chance.integers(0, 256, (synthetic, 16, 16, 3), dtype=np.uint8)
    labels = np.arange(synthetic) % len(counts)
    return split, MixedDataset.of(split.images, split.labels, images, labels, split.spec.classes, recipe, **more)


@pytest.mark.parametrize("recipe", ["concatenate", "anneal", "replace=0.5", "pretrain=0.3", "balanced", "mixup=1"])
def test_steps_show_the_same_images_in_the_same_order_as_epochs_of_the_recipe(recipe):
    _, live = mixed(recipe=recipe)
    order = RecipeOrder(live, batch_size=6, steps=5, seed=3)
    shown = np.concatenate([order.rows(step, 6) for step in range(5)])
    epochs = math.ceil(30 / EpochBatches(live, batch_size=6, epochs=1, seed=3).images)
    batches = EpochBatches(live, batch_size=6, epochs=epochs, seed=3)
    assert shown.tolist() == np.concatenate([batches.rows(epoch) for epoch in range(epochs)])[:30].tolist()


def test_weights_and_soft_targets_reach_the_loss():
    split, live = mixed(recipe="weight=0.25,soft_labels=0.5", probabilities=torch.full((4, 2), 0.5))
    learner = Learner(split.spec, ONE_STEP, live, study_training("small", 1, 12, None), 0)
    learner.networks = {"classifier": torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(768, 2))}
    rows = torch.arange(len(live))
    images = torch.stack([live[row].image for row in rows.tolist()])
    batch = Batch(images, live.labels, rows, 0, 0.0, Noise.per_batch(0, "batch", 0, len(live)))
    ((name, loss),) = learner.losses(batch)
    logs = learner.networks["classifier"](images).log_softmax(dim=1)
    weights = torch.tensor([1.0] * 8 + [0.25] * 4)
    targets = torch.nn.functional.one_hot(live.labels, 2).float()
    targets[8:] = targets[8:] / 2 + 0.25
    targets = 0.95 * targets + 0.05 / 2
    assert name == "classifier"
    assert loss.item() == pytest.approx((-(targets * logs).sum(dim=1) * weights).sum().item() / 9, rel=1e-5)


def test_a_classical_arm_changes_images_in_each_step_and_only_as_it_is_allowed_to():
    split, live = mixed()
    rows = torch.arange(len(live))
    images = torch.stack([live[row].image for row in rows.tolist()])
    mirrored = AllowedChanges(flips=("horizontal", "vertical"))
    seen = {}
    some = AllowedChanges(turns=False), AllowedChanges(hue=False), AllowedChanges(turns=False, hue=False)
    for allowed in (None, AllowedChanges(), *some, mirrored):
        learner = Learner(split.spec, ONE_STEP, live, study_training("small", 1, 12, allowed), 0)
        noises = [Noise.per_batch(0, "batch", step, 12) for step in (0, 1)]  # the same for every learner
        seen[allowed] = [learner._shown(Batch(images, live.labels, rows, 0, 0.0, noise)) for noise in noises]
    assert all(torch.equal(shown, images) for shown in seen[None])
    for allowed in seen.keys() - {None}:
        assert not torch.allclose(*seen[allowed], atol=0.1)
    firsts = [shown[0] for allowed, shown in seen.items() if allowed is not None]
    assert all(not torch.allclose(one, two, atol=0.05) for one, two in combinations(firsts, 2))


def test_a_classifier_learns_and_every_arm_takes_the_same_number_of_steps():
    split = tiny_split(3, 16, 16, counts=(12, 12))
    images = split.images // 2 + (split.labels * 128).astype(np.uint8)[:, None, None, None]
    live = MixedDataset.of(images, split.labels, images[:0], split.labels[:0], split.spec.classes)
    classifier = ClassifierSpec("small", None, "", 40, "cpu")
    for allowed in (None, AllowedChanges()):
        learner = learn(split.spec, live, classifier, allowed=allowed, batch=batch_size(24), seed=0)
        assert (learner.predict(images) == split.labels).mean() > 0.9


def test_batch_sizes_are_even_and_never_larger_than_the_number_of_real_images():
    assert [batch_size(real) for real in (1, 3, 9, 31, 64, 500)] == [2, 2, 8, 30, 64, 64]


def test_weights_of_another_port_are_taken_in_their_order_if_all_shapes_agree():
    with torch.random.fork_rng():
        network = make_network("timm:test_efficientnet", SPEC)
    expected = network.network.state_dict()
    port = {f"layer{place}": value + 1 for place, value in enumerate(expected.values())}
    renamed = in_order(port, expected)
    assert list(renamed) == list(expected)
    assert all(torch.equal(renamed[name], expected[name] + 1) for name in expected)
    *names, last = port
    swapped = {name: port[name] for name in (*names[1:], names[0], last)}
    for other in (swapped, {name: port[name] for name in names}, port | {"conv_stem.weight": port["layer0"]}):
        assert in_order(other, expected) is other


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
        ("timm:vit_tiny_patch16_224", "cannot work at 32x32.*choose another --size"),
    ],
)
def test_unusable_classifiers_are_refused_with_a_clear_message(name, words):
    with pytest.raises(UsageError, match=words):
        check_network(name, SPEC)


def test_weights_of_a_file_are_loaded_into_all_layers_but_the_last(tmp_path):
    with torch.random.fork_rng():
        other = make_network("resnet18", replace(SPEC, classes=tuple("abcde"), counts=(1,) * 5)).network
        path = tmp_path / "weights.pth"
        torch.save(other.state_dict(), path)
        found = make_network("resnet18", SPEC, path).network
    assert torch.equal(found.conv1.weight, other.conv1.weight)
    assert found.fc.weight.shape == (3, 512)
    with pytest.raises(DataError, match="weights of another network"):
        check_network("mobilenet_v3_small", SPEC, path)
    with pytest.raises(UsageError, match="always begins from random weights"):
        check_network("small", SPEC, path)


# scores and statistics


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
@settings(deadline=None)
def test_scores_equal_those_of_scikit_learn(pairs):
    labels, predicted = (np.array(column) for column in zip(*pairs, strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert balanced_accuracy(labels, predicted) == pytest.approx(balanced_accuracy_score(labels, predicted))
        assert macro_f1(labels, predicted) == pytest.approx(f1_score(labels, predicted, average="macro"))
    assert np.nanmean(recalls(labels, predicted, 4)) == pytest.approx(balanced_accuracy(labels, predicted))


def test_scores_without_images_are_nan():
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


def test_values_that_do_not_vary_or_are_single_give_no_evidence():
    assert over_splits([0.1], 0.2).verdict == "no evidence"
    assert over_splits([0.1, 0.1, 0.1], 0.2).verdict == "no evidence"
    assert over_splits([0.0, 0.0, math.nan], 0.2) == Estimate(0.0, None, None)


def test_several_verdicts_are_corrected_for_their_number():
    sure, barely = Estimate(0.2, 0.1, 0.3, 0.001), Estimate(-0.1, -0.2, -0.001, 0.04)
    assert verdicts([sure, barely]) == ["helps", "harms"]
    assert verdicts([sure, barely, barely]) == ["helps", "no evidence", "no evidence"]
    assert verdicts([Estimate(math.nan, None, None), sure]) == ["no evidence", "helps"]


def outcome_of(predictions: list[list[np.ndarray]], labels: np.ndarray, half: np.ndarray, arms=None) -> StudyOutcome:
    """predictions: by arm, then by split, on the same images in each split."""
    arms = arms or (Arm(), Arm(classical=True), Arm("a"), Arm("b"))
    rows = np.arange(len(labels))
    splits = tuple(
        SplitPredictions(rows, labels, half, tuple((arm[place],) for arm in predictions), place)
        for place in range(len(predictions[0]))
    )
    return StudyOutcome(arms, 2, splits, rows, 0.2)


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


def test_the_simplest_of_equal_arms_is_recommended_and_after_one_split_only_real_images():
    labels, half = np.array([0, 1] * 10), np.array([False, False, True, True] * 5)
    chance = np.random.default_rng(0)

    def noisy(error):
        return [np.where(chance.random(20) < error, 1 - labels, labels) for _ in range(8)]

    better = outcome_of([noisy(0.5), noisy(0.45), noisy(0.02), noisy(0.4)], labels, half)
    assert better.arms[better.recommended()].name == "real + a"
    same = noisy(0.3)
    assert outcome_of([same] * 4, labels, half).recommended() == 0
    one = outcome_of([[predicted[0]] for predicted in (noisy(0.5), noisy(0.5), noisy(0.0), noisy(0.5))], labels, half)
    assert not one.arms[one.recommended()].synthetic


def nearest_centroid(known: np.ndarray, labels: np.ndarray, held_out: np.ndarray, blur: np.ndarray) -> np.ndarray:
    centroids = np.stack([known[labels == label].mean(axis=0) for label in np.unique(labels)]) + blur
    return np.linalg.norm(held_out[:, None] - centroids, axis=2).argmin(axis=1)


def simulated(
    chance: np.random.Generator, gain: float, classes=3, each=14, repeats=2, folds=5, arms=2, luck=0.0
) -> StudyOutcome:
    """A real cross-validation on new data, with nearest centroids of noisy features as classifiers.

    gain: how much stronger the signal in the features of synthetic arms is. luck: standard deviation of the noise that
    each trained classifier adds to its centroids.
    """
    labels = np.repeat(np.arange(classes), each)
    signals = [1.2] * 4 + [1.2 + gain] * arms
    features = [chance.normal(size=(len(labels), 4)) + signal * np.eye(classes, 4)[labels] for signal in signals]
    half = chance.permutation(len(labels)) % 2 == 0
    splits = []
    for repeat in range(repeats):
        place = np.empty(len(labels), dtype=int)
        for label in range(classes):
            place[labels == label] = chance.permutation(each) % folds
        for fold in range(folds):
            out = place == fold
            blurs = luck * chance.normal(size=(len(features), classes, 4))
            pairs = zip(features, blurs, strict=True)
            predictions = tuple((nearest_centroid(one[~out], labels[~out], one[out], blur),) for one, blur in pairs)
            splits.append(SplitPredictions(np.flatnonzero(out), labels[out], half[out], predictions, repeat))
    synthetic = [Arm(f"g{number}") for number in range(arms)]
    groups = np.arange(len(labels))
    return StudyOutcome((*real_arms(), *synthetic), classes, tuple(splits), groups, 1 / folds)


@pytest.mark.parametrize(("arms", "luck"), [(2, 0.0), (8, 0.5)])
def test_at_most_seven_percent_of_200_studies_without_an_effect_claim_one(arms, luck):
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


def test_the_summary_says_how_certain_it_is():
    outcome = simulated(np.random.default_rng(1), 0.0)
    found = summary(outcome, ("a", "b", "c"), (14, 14, 14), planned=20)
    assert found["headline"]["sentence"].startswith("No evidence that synthetic images help: balanced accuracy")
    assert found["certainty"].startswith("10 of 20 splits: the difference is known to ±")
    assert found["recommendation"]["sentence"].startswith("Do not use synthetic images: train on real images")
    assert [row["class"] for row in found["classes"]] == ["a", "b", "c"]
    assert all(arm["difference"] is None for arm in found["arms"] if arm["kind"] == "real")


def test_figures_begin_with_the_same_arm_without_synthetic_images():
    arms = (*real_arms(), *synthetic_arms(["a"], [RECIPE], (0, 50, 100), uneven=False, alone=True))
    labels = np.array([0, 1] * 4)
    rows = figure(outcome_of([[labels, labels] for _ in arms], labels, labels == 0, arms))
    assert [(row["generator"], row["arm"], row["count"]) for row in rows] == [
        ("real + a", "real", 0),
        ("real + a", "real + 50 a", 50),
        ("classical + a", "classical", 0),
        ("classical + a", "classical + 50 a", 50),
        ("real + a", "real + 100 a", 100),
        ("classical + a", "classical + 100 a", 100),
    ]


def test_one_split_cannot_say_how_certain_it_is():
    labels = np.array([0, 1] * 4)
    outcome = outcome_of([[labels]] * 4, labels, np.array([False, False, True, True] * 2))
    assert certainty(outcome, 1) == "1 split: at least 2 are needed to say how certain the result is."
    found = summary(outcome, ("a", "b"), (4, 4), 1)
    assert found["headline"]["difference"]["low"] is None
    assert found["headline"]["verdict"] == "no evidence"


def test_differences_of_shares_have_intervals_of_possible_values():
    labels = np.array([0, 1] * 4)
    half = np.array([False, False, True, True] * 2)
    real, synthetic = [labels, 1 - labels, labels], [1 - labels, labels, labels]
    outcome = outcome_of([real, synthetic], labels, half, (Arm(), Arm("a")))
    for found in (outcome.difference((1, 1)), *outcome.class_differences()):
        assert found.low is not None
        assert -1 <= found.low < found.high <= 1


def test_a_budget_allows_no_round_that_would_not_fit_and_stores_the_time_of_a_round(tmp_path):
    memory = tmp_path / "pace.json"
    without, short = Budget(None, memory, "a"), Budget(1e-9, memory, "a")
    assert not short.longest
    with short.round(2):
        pass
    assert without.allows(after=0.75)
    assert not short.allows(after=0.0)
    assert short.pace() is not None
    assert without.pace() is None
    assert Budget(60, memory, "a").longest == short.longest > 0
    assert not Budget(60, memory, "b").longest
