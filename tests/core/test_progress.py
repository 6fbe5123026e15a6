"""What is said while work goes on, where there is no terminal."""

import pytest
from genaug.progress import Lines, Work, _duration

from tests.commands import QUICK


@pytest.fixture
def told():
    """Lines of progress, the clock that they go by, and what they wrote."""
    written, now = [], [0.0]
    return Lines(written.append, clock=lambda: now[0]), now, written


def test_a_stage_is_named_once_and_then_its_rate_every_thirty_seconds(told):
    lines, now, written = told
    for second in range(0, 91, 10):
        now[0] = second
        lines.show(Work("training", "cvae", 100 + 2 * second, 1300))
    assert written == [
        "training: cvae, 1,300 steps",
        "training: cvae, 160 of 1,300 steps, 2 a second, about 10 min left",
        "training: cvae, 220 of 1,300 steps, 2 a second, about 9 min left",
        "training: cvae, 280 of 1,300 steps, 2 a second, about 8 min left",
    ]


def test_the_next_stage_is_named_at_once_and_pieces_of_one_stage_are_not(told):
    lines, _, written = told
    for number in range(5):
        lines.show(Work("training judges", f"judge {number} of 5", 1, 400))
    lines.show(Work("drawing", "drawing cvae", 0, 30, "images"))
    assert written == ["training judges: judge 0 of 5, 400 steps", "drawing cvae, 30 images"]


def test_work_that_stands_still_has_no_rate(told):
    lines, now, written = told
    for now[0] in (0.0, 31.0):
        lines.show(Work("study", "split 1", 3, 18, "classifiers"))
    assert written[-1] == "study: split 1, 3 of 18 classifiers"


@pytest.mark.parametrize(("seconds", "words"), [(12.4, "12 s"), (89, "89 s"), (100, "2 min"), (9000, "2.5 h")])
def test_times_have_the_unit_that_fits(seconds, words):
    assert _duration(seconds) == words


def test_a_run_without_a_terminal_names_its_stages(plain, tmp_path, genaug):
    (tmp_path / "few.yaml").write_text("judge_steps: 4", "utf-8")
    options = (*QUICK[:-3], "--config", tmp_path / "few.yaml", "--per-class", 2)
    told = genaug("run", plain, "-g", "cvae", *options, "-o", tmp_path / "out").err
    assert "training judges: judge 1 of 3, 4 steps\n" in told
    assert "images\n" in told
