"""Targets and shares, and every form of sampling_strategy as in imbalanced-learn 0.14, check_sampling_strategy."""

import re

import pytest
from genaug.errors import UsageError
from genaug.targets.plan import MixConfig
from genaug.targets.sampling_strategy import sampling_strategy_counts
from genaug.targets.shares import parse_shares, shared_plan
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

TIES = {"a": 5, "b": 3, "c": 5, "d": 3}
TABLES = st.dictionaries(st.integers(0, 20), st.integers(1, 50), min_size=2, max_size=8)
PAIRS = st.dictionaries(st.integers(0, 20), st.integers(1, 50), min_size=2, max_size=2)
WORDS = st.sampled_from(["auto", "minority", "not majority", "not minority", "all"])


@pytest.mark.parametrize(
    ("counts", "strategy", "new"),
    [
        (TIES, "auto", {"b": 2, "c": 0, "d": 2}),
        (TIES, "not majority", {"b": 2, "c": 0, "d": 2}),
        (TIES, "minority", {"b": 2}),
        (TIES, "not minority", {"a": 0, "c": 0, "d": 2}),
        (TIES, "all", {"a": 0, "b": 2, "c": 0, "d": 2}),
        (TIES, {"d": 4, "a": 12}, {"a": 7, "d": 1}),
        (TIES, lambda y: {y[0]: 20}, {"a": 15}),
        ({0: 4, 1: 10}, 0.5, {0: 1}),
        ({0: 10, 1: 4}, 0.75, {1: 3}),
        ({0: 10, 1: 4}, 1, {1: 6}),
        ({0: 10, 1: 4}, "not minority", {0: 0}),
        ({"a": 2, "b": 2}, "auto", {"b": 0}),
        ({"a": 2, "b": 2}, "minority", {"a": 0}),
        ({"a": 2, "b": 2}, "not minority", {"b": 0}),
    ],
)
def test_the_numbers_are_those_of_imbalanced_learn(counts, strategy, new):
    assert list(sampling_strategy_counts(counts, strategy).items()) == list(new.items())


@given(TABLES, WORDS)
def test_filled_classes_are_as_large_as_the_largest(counts, word):
    new = sampling_strategy_counts(counts, word)
    assert {counts[label] + number for label, number in new.items()} == {max(counts.values())}
    assert min(new.values()) >= 0


@given(TABLES)
def test_words_cover_the_classes_that_they_name(counts):
    every = sampling_strategy_counts(counts, "all")
    (most,) = every.keys() - sampling_strategy_counts(counts, "not majority").keys()
    (least,) = every.keys() - sampling_strategy_counts(counts, "not minority").keys()
    assert every.keys() == counts.keys()
    assert counts[most] == max(counts.values())
    assert counts[least] == min(counts.values())
    assert sampling_strategy_counts(counts, "minority").keys() == {least}
    assert sampling_strategy_counts(counts, "auto") == sampling_strategy_counts(counts, "not majority")


@given(TABLES, st.data())
def test_a_table_and_a_function_in_any_order_give_the_same_numbers(counts, data):
    added = data.draw(st.dictionaries(st.sampled_from(sorted(counts)), st.integers(0, 30), min_size=1))
    totals = {label: counts[label] + number for label, number in added.items()}
    shuffled = dict(data.draw(st.permutations(list(counts.items()))))
    y = [label for label, count in counts.items() for _ in range(count)]
    assert sampling_strategy_counts(counts, totals) == added
    assert sampling_strategy_counts(shuffled, lambda labels: {x: totals[x] for x in totals if x in labels}, y) == added


@given(TABLES, WORDS, st.data())
def test_the_order_of_classes_changes_nothing(counts, word, data):
    shuffled = dict(data.draw(st.permutations(list(counts.items()))))
    one, two = sampling_strategy_counts(counts, word), sampling_strategy_counts(shuffled, word)
    assert list(one.items()) == list(two.items())
    assert list(one) == sorted(one)


@given(PAIRS, st.integers(1, 100))
def test_a_ratio_is_of_the_smaller_class_to_the_larger(counts, percent):
    smaller, larger = sorted(counts.values())
    if percent * larger < 100 * (smaller + 1):
        with pytest.raises(UsageError, match="give a larger ratio"):
            sampling_strategy_counts(counts, (percent - 0.001) / 100)
    else:
        ((label, new),) = sampling_strategy_counts(counts, percent / 100).items()
        assert counts[label] == smaller
        assert percent * larger - 100 <= 100 * (smaller + new) <= percent * larger


@pytest.mark.parametrize(
    ("counts", "strategy", "words"),
    [
        (TIES, "majority", "expected auto, minority, not majority, not minority, all, a ratio in (0, 1]"),
        (TIES, None, "got None"),
        (TIES, True, "got True"),
        (TIES, ["a"], "got ['a']"),
        (TIES, 0.5, "a ratio needs two classes, got 4 classes"),
        ({0: 4, 1: 10}, 0, "expected a ratio in (0, 1], got 0"),
        ({0: 4, 1: 10}, 1.5, "expected a ratio in (0, 1], got 1.5"),
        ({0: 4, 1: 10}, float("nan"), "expected a ratio in (0, 1], got nan"),
        ({0: 4, 1: 10}, 0.4, "class 0 already has 4 images, the largest has 10"),
        ({0: 4, 1: 4}, 1.0, "give a larger ratio"),
        (TIES, {"a": 4}, "a whole number of at least 5 images, since class 'a' has that many, got 4"),
        (TIES, {"a": 5.5}, "got 5.5"),
        (TIES, {"bb": 9}, "unknown class in sampling_strategy 'bb' (did you mean 'b'?)"),
        ({3: 4, 5: 9}, {4: 9}, "unknown class in sampling_strategy '4'"),
        ({"a": 4}, "auto", "at least two classes, got 1"),
    ],
)
def test_impossible_strategies_are_refused_with_a_reason(counts, strategy, words):
    with pytest.raises(UsageError, match=re.escape(words)):
        sampling_strategy_counts(counts, strategy)


@pytest.mark.parametrize(("count", "first", "second"), [(4, 2, 2), (1, 1, 0), (5, 3, 2), (0, 0, 0)])
def test_what_whole_shares_leave_goes_to_the_largest_remainder(count, first, second):
    assert shared_plan({"cat": count}, {"one": 0.6, "two": 0.4}) == {"one": {"cat": first}, "two": {"cat": second}}


def test_equal_remainders_go_by_name():
    assert shared_plan({"cat": 3}, {"two": 0.5, "one": 0.5}) == {"two": {"cat": 1}, "one": {"cat": 2}}


@pytest.mark.parametrize("text", ["a=x,b=1", "a=0,b=1", "a=inf,b=1", "a=nan,b=1"])
def test_shares_that_are_no_numbers_above_zero_are_refused(text):
    with pytest.raises(UsageError, match="expected shares above 0, got"):
        parse_shares(text)


def test_at_most_one_target_is_given_and_at_most_a_million_images():
    assert MixConfig(per_class=1_000_000).per_class == 1_000_000
    with pytest.raises(ValidationError, match="less than or equal to 1000000"):
        MixConfig(per_class=1_000_001)
    with pytest.raises(ValidationError, match="expected one of per_class, balance, targets, got per_class and balance"):
        MixConfig(per_class=1, balance="max")
