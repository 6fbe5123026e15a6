"""The lengths that fit into a given time: what is shortened first, and what is too little."""

import json
import math
from dataclasses import replace
from itertools import pairwise

import pytest
from genaug.errors import UsageError
from genaug.overrides import duration
from genaug.run.budget import Lengths, _kept, choose
from genaug.run.cost import CostEstimate

FULL = CostEstimate(
    fits=1,
    steps=4_000,
    step_seconds=0.05,
    workers=1,
    seconds=200.0,
    judge_seconds=60.0,
    check_seconds=60.0,
    detector_seconds=20.0,
    draw_seconds=10.0,
    write_seconds=10.0,
)


def chosen_seconds(lengths: Lengths) -> float:
    checking = FULL.check_seconds + FULL.detector_seconds if lengths.check else 0.0
    classifiers = lengths.judging * FULL.judge_seconds + checking
    return lengths.training * FULL.seconds + classifiers + FULL.draw_seconds + FULL.write_seconds


def test_with_time_enough_nothing_is_given_up():
    assert choose(FULL, 500) == Lengths(1.0, 1.0, True)


@pytest.mark.parametrize("budget", range(50, 600, 10))
def test_what_is_chosen_ends_within_the_budget(budget):
    assert chosen_seconds(choose(FULL, budget)) <= 0.86 * budget


def test_more_time_never_means_shorter_trainings_of_the_same_kind():
    found = [choose(FULL, budget) for budget in range(50, 600, 10)]
    kinds = [(one.judging, one.check) for one in found]
    assert kinds == sorted(kinds)
    for before, after in pairwise(found):
        assert (before.judging, before.check) != (after.judging, after.check) or before.training <= after.training


def test_the_generator_trains_shorter_before_the_check_is_left_out_and_that_before_the_judges_train_shorter():
    order = [(one.judging, one.check) for one in (choose(FULL, budget) for budget in (400, 310, 300, 220, 180, 60))]
    assert order == [(1, True), (1, True), (1, False), (1, False), (0.5, False), (0.25, False)]


def test_time_that_is_over_counts():
    assert choose(FULL, 400, spent=0.0).training > choose(FULL, 400, spent=30.0).training


def test_too_little_time_names_how_much_is_needed():
    with pytest.raises(UsageError, match=r"a budget of 20 s is too short .* needs about 46 s at the least"):
        choose(FULL, 20)
    assert choose(FULL, 47).training >= 0.02


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("10m", 600), ("1h30m", 5400), (" 2H ", 7200)])
def test_a_time_is_read_as_people_write_it(text, seconds):
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "m", "0m", "1.5h", "-3m", "10m5", "٣m"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match="expected a time such as 30m"):
        duration(text)


def test_a_sampler_that_takes_longer_than_a_quarter_of_the_time_is_named():
    with pytest.raises(UsageError, match=r"a budget of 100 s is too short .* drawing .* takes more than 25 s"):
        choose(replace(FULL, draw_seconds=math.inf), 100)


SOUND = {"training": 0.5, "judging": 1.0, "check": True}


@pytest.mark.parametrize(
    ("held", "found"),
    [
        ({"key": "a", "lengths": SOUND}, Lengths(**SOUND)),
        ({"key": "b", "lengths": SOUND}, None),
        ({"key": "a", "lengths": SOUND | {"training": 0.0}}, None),
        ({"key": "a", "lengths": SOUND | {"training": float("nan")}}, None),
        ({"key": "a", "lengths": SOUND | {"judging": "full"}}, None),
        ({"key": "a", "lengths": SOUND | {"check": 1}}, None),
        ({"key": "a", "lengths": SOUND | {"more": 1}}, None),
        ({"key": "a", "lengths": {}}, None),
        ({"key": "a"}, None),
        ([], None),
    ],
)
def test_a_kept_choice_that_was_edited_is_made_anew(tmp_path, held, found):
    (tmp_path / "budget.json").write_text(json.dumps(held))
    assert _kept(tmp_path / "budget.json", "a") == found
