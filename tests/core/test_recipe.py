"""Recipes: their spellings, what is refused, what a folder can hold, caps and weights."""

from fractions import Fraction

import pytest
from genaug.config import RunConfig
from genaug.errors import UsageError
from genaug.mixing.fold import fold, overall_score
from genaug.mixing.recipe import RecipeConfig, parse_recipe, require_foldable
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError


@pytest.mark.parametrize(
    ("text", "recipe"),
    [
        ("concatenate", {}),
        ("cap=0.5", {"cap": 0.5}),
        ("weight=0.3", {"weight": 0.3}),
        (" cap = 0.5 , weight=0.3", {"cap": 0.5, "weight": 0.3}),
        ("replace", {"mode": "replace", "probability": 0.5}),
        ("replace=0.25", {"mode": "replace", "probability": 0.25}),
        ("anneal", {"mode": "anneal", "start": 0.5, "end": 0.0}),
        ("anneal=0.8,end=0.1,balanced", {"mode": "anneal", "start": 0.8, "end": 0.1, "balanced": True}),
        ("pretrain=0.3", {"mode": "pretrain", "share": 0.3}),
        ("mixup", {"mode": "mixup", "alpha": 1.0}),
        ("cutmix=0.2", {"mode": "cutmix", "alpha": 0.2}),
        ("weight_by_score,soft_labels=1e-1", {"weight_by_score": True, "soft_labels": 0.1}),
        ("mode=mixup,alpha=2", {"mode": "mixup", "alpha": 2.0}),
    ],
)
def test_every_spelling_gives_the_same_recipe(text, recipe):
    expected = RecipeConfig(**recipe)
    assert parse_recipe(text) == parse_recipe(recipe) == parse_recipe(expected) == expected
    assert parse_recipe(expected.model_dump()) == expected, "what run.json holds reads back"
    for wish in (text, recipe, expected, expected.model_dump()):
        assert parse_recipe(RunConfig(recipe=wish).recipe) == expected


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ("aneal", "unknown word in a recipe 'aneal'.*did you mean 'anneal'"),
        ("wieght=0.3", "did you mean 'weight'"),
        ({"wieght": 0.3}, "did you mean 'weight'"),
        ({"mode": "aneal"}, "'concatenate', 'replace', 'anneal'"),
        ("", "unknown word in a recipe ''"),
        ("cap", "cap needs a value, as in cap=0.5"),
        ("cap=", "cap needs a value"),
        ("cap=much", "cap: .*number, got 'much'"),
        ("cap=0", "greater than 0, got 0"),
        ("concatenate=3", "concatenate takes no value, got 3"),
        ("anneal,replace", "mode is given twice"),
        ("cap=1,cap=2", "cap is given twice"),
        ("anneal,probability=0.2", "probability belongs to replace, got it with anneal"),
        ("cap=1,alpha=2", "alpha belongs to mixup and cutmix, got it with concatenate"),
        ("replace,end=0.2", "end belongs to anneal, got it with replace"),
        ("anneal=0.2,end=0.3", "a start above the end, got 0.2 and 0.3"),
        ("pretrain,weight=0.3", "weight does nothing in pretrain"),
        ("soft_labels=2", "less than or equal to 1, got 2"),
        (3, "a text such as 'anneal', a dict or a RecipeConfig, got int"),
    ],
)
def test_a_recipe_without_sense_is_refused_in_a_sentence(wish, words):
    with pytest.raises(UsageError, match=words) as caught:
        parse_recipe(wish)
    assert "\n" not in str(caught.value)


def test_a_recipe_is_closed_and_frozen():
    with pytest.raises(ValidationError):
        RecipeConfig(dose=1.0)
    with pytest.raises(ValidationError):
        RecipeConfig().weight = 2.0


@pytest.mark.parametrize("text", ["concatenate", "cap=0.5", "weight=0.3", "cap=2,weight=0.5"])
def test_what_an_image_is_once_and_for_all_can_be_a_folder(text):
    recipe = parse_recipe(text)
    assert recipe.foldable
    require_foldable(recipe)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("replace", "replace"),
        ("anneal", "anneal"),
        ("pretrain", "pretrain"),
        ("mixup", "mixup"),
        ("cutmix", "cutmix"),
        ("balanced", "balanced"),
        ("weight_by_score", "weight_by_score"),
        ("anneal,cap=1,soft_labels=0.5", "anneal, soft_labels"),
    ],
)
def test_what_acts_during_training_is_no_folder_and_says_what_to_do(text, part):
    recipe = parse_recipe(text)
    assert not recipe.foldable
    with pytest.raises(UsageError, match=rf"during training \({part}\): .*in Python") as caught:
        require_foldable(recipe)
    assert "\n" not in str(caught.value)


@st.composite
def candidates(draw):
    counts = draw(st.dictionaries(st.sampled_from("abcd"), st.integers(0, 30), min_size=1))
    labels = draw(st.lists(st.sampled_from(sorted(counts)), max_size=60))
    scores = draw(st.none() | st.lists(st.floats(0, 1), min_size=len(labels), max_size=len(labels)))
    return counts, labels, scores


CAPS = st.integers(1, 300).map(lambda hundredths: hundredths / 100)


@given(candidates(), CAPS)
def test_a_cap_is_reached_where_it_can_be_and_never_passed(made, cap):
    counts, labels, scores = made
    keep, _ = fold(RecipeConfig(cap=cap), counts, labels, scores)
    for name, count in counts.items():
        kept = sum(kept for kept, label in zip(keep, labels, strict=True) if label == name)
        assert kept <= Fraction(str(cap)) * count
        assert kept == labels.count(name) or kept + 1 > Fraction(str(cap)) * count


@given(candidates(), CAPS)
def test_a_cap_keeps_the_best_and_of_equals_the_first(made, cap):
    counts, labels, scores = made
    keep, _ = fold(RecipeConfig(cap=cap), counts, labels, scores)
    for name in counts:
        mine = [place for place, label in enumerate(labels) if label == name]
        ranks = [(0.0 if scores is None else -scores[place], place) for place in mine]
        worst_kept = max((rank for rank in ranks if keep[rank[1]]), default=(-2.0, -1))
        assert all(rank > worst_kept for rank in ranks if not keep[rank[1]])


@given(candidates(), st.floats(0.01, 2))
def test_without_a_cap_all_stay_and_weights_are_constant_or_by_score(made, weight):
    counts, labels, scores = made
    keep, weights = fold(RecipeConfig(weight=weight), counts, labels, scores)
    assert keep == [True] * len(labels)
    assert weights == [weight] * len(labels)
    if scores is not None:
        by_score = fold(RecipeConfig(weight=weight, weight_by_score=True), counts, labels, scores).weights
        assert by_score == pytest.approx([weight * score for score in scores])


def test_a_cap_is_read_as_it_is_written():
    assert sum(fold(RecipeConfig(cap=0.29), {"a": 100}, ["a"] * 50).keep) == 29, "0.29 * 100 is 28.999... in binary"


def test_folding_says_what_is_missing():
    with pytest.raises(UsageError, match=r"class of a synthetic image 'stpo'.*did you mean 'stop'"):
        fold(RecipeConfig(), {"stop": 3}, ["stpo"])
    with pytest.raises(UsageError, match="needs a score of every synthetic image"):
        fold(RecipeConfig(weight_by_score=True), {"a": 3}, ["a"])
    with pytest.raises(UsageError, match="one score for each of 2 synthetic images, got 1"):
        fold(RecipeConfig(), {"a": 3}, ["a", "a"], [0.5])


def test_an_image_is_as_good_as_its_lowest_score():
    assert overall_score({"first": 0.9, "second": 0.2}) == 0.2
    assert overall_score({}) == 1.0
