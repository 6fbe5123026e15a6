"""Recipes: every way to write them, what is refused, what a folder can hold, caps and weights."""

from fractions import Fraction

import pytest
from genaug.errors import UsageError
from genaug.mixing.apply import apply_recipe, overall_score
from genaug.mixing.recipe import RecipeConfig, parse_recipe, require_storable
from genaug.run.config import RunConfig
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
def test_every_way_to_write_a_recipe_gives_the_same_one(text, recipe):
    expected = RecipeConfig(**recipe)
    assert parse_recipe(text) == parse_recipe(recipe) == parse_recipe(expected) == expected
    assert parse_recipe(expected.model_dump()) == expected, "what run.json holds reads back"
    for written in (text, recipe, expected, expected.model_dump()):
        assert parse_recipe(RunConfig(recipe=written).recipe) == expected


@pytest.mark.parametrize(
    ("recipe", "words"),
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
        ("pretrain,weight=0.3", "weight has no effect in pretrain"),
        ("soft_labels=2", "less than or equal to 1, got 2"),
        (3, "a text such as 'anneal', a dict or a RecipeConfig, got int"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused_in_a_sentence(recipe, words):
    with pytest.raises(UsageError, match=words) as caught:
        parse_recipe(recipe)
    assert "\n" not in str(caught.value)


def test_a_recipe_is_closed_and_frozen():
    with pytest.raises(ValidationError):
        RecipeConfig(dose=1.0)
    with pytest.raises(ValidationError):
        RecipeConfig().weight = 2.0


@pytest.mark.parametrize("text", ["concatenate", "cap=0.5", "weight=0.3", "cap=2,weight=0.5"])
def test_a_recipe_that_fixes_images_and_weights_can_be_a_folder(text):
    keep, weights = apply_recipe(parse_recipe(text), [3], [0] * 8)
    assert len(keep) == len(weights) == 8, "every image has one weight before training begins"
    assert require_storable(parse_recipe(text)) is None
    with pytest.raises(UsageError, match=r"during training \(balanced\)"):
        require_storable(parse_recipe(f"{text},balanced"))


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
def test_a_recipe_that_acts_during_training_cannot_be_a_folder_and_says_what_to_do(text, part):
    recipe = parse_recipe(text)
    with pytest.raises(UsageError, match=rf"during training \({part}\): .*in Python") as caught:
        require_storable(recipe)
    assert "\n" not in str(caught.value)


@st.composite
def candidates(draw):
    counts = draw(st.lists(st.integers(0, 30), min_size=1, max_size=4))
    labels = draw(st.lists(st.integers(0, len(counts) - 1), max_size=60))
    scores = draw(st.none() | st.lists(st.floats(0, 1), min_size=len(labels), max_size=len(labels)))
    return counts, labels, scores


CAPS = st.integers(1, 300).map(lambda hundredths: hundredths / 100)


@given(candidates(), CAPS)
def test_a_cap_is_reached_where_it_can_be_and_never_passed(drawn, cap):
    counts, labels, scores = drawn
    keep, _ = apply_recipe(RecipeConfig(cap=cap), counts, labels, scores)
    for label, count in enumerate(counts):
        kept = sum(kept for kept, one in zip(keep, labels, strict=True) if one == label)
        assert kept <= Fraction(str(cap)) * count
        assert kept == labels.count(label) or kept + 1 > Fraction(str(cap)) * count


@given(candidates(), CAPS)
def test_a_cap_keeps_the_best_and_of_equals_the_first(drawn, cap):
    counts, labels, scores = drawn
    keep, _ = apply_recipe(RecipeConfig(cap=cap), counts, labels, scores)
    for label in range(len(counts)):
        places = [place for place, one in enumerate(labels) if one == label]
        ranks = [(0.0 if scores is None else -scores[place], place) for place in places]
        worst_kept = max((rank for rank in ranks if keep[rank[1]]), default=(-2.0, -1))
        assert all(rank > worst_kept for rank in ranks if not keep[rank[1]])


@given(candidates(), st.floats(0.01, 2))
def test_without_a_cap_all_stay_and_weights_are_constant_or_by_score(drawn, weight):
    counts, labels, scores = drawn
    keep, weights = apply_recipe(RecipeConfig(weight=weight), counts, labels, scores)
    assert keep == [True] * len(labels)
    assert weights == [weight] * len(labels)
    if scores is not None:
        by_score = apply_recipe(RecipeConfig(weight=weight, weight_by_score=True), counts, labels, scores).weights
        assert by_score == pytest.approx([weight * score for score in scores])


def test_a_cap_is_read_as_it_is_written():
    assert sum(apply_recipe(RecipeConfig(cap=0.29), [100], [0] * 50).keep) == 29, "0.29 * 100 is 28.999... in binary"


def test_applying_a_recipe_says_what_is_missing():
    with pytest.raises(UsageError, match=r"must lie in \[0, 1\), got \[-1, 1\]"):
        apply_recipe(RecipeConfig(), [3], [0, 1, -1])
    with pytest.raises(UsageError, match="needs a score of every synthetic image"):
        apply_recipe(RecipeConfig(weight_by_score=True), [3], [0])
    with pytest.raises(UsageError, match="one score for each of 2 synthetic images, got 1"):
        apply_recipe(RecipeConfig(), [3], [0, 0], [0.5])


def test_an_image_is_as_good_as_its_lowest_score():
    assert overall_score({"first": 0.9, "second": 0.2}) == 0.2
    assert overall_score({}) == 1.0
