"""Filling a class: order, limits, prefixes, selectors that choose, and the record of rejected candidates."""

import json
import tracemalloc
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from genaug.config import SelectorConfig
from genaug.data.attribution import Attribution
from genaug.errors import PluginError, UsageError
from genaug.features import cross_fit
from genaug.fitting import CHUNK
from genaug.hookspecs import SelectorDescription
from genaug.mixing.candidate import Candidate
from genaug.mixing.candidate_table import CandidateTable
from genaug.registry import Source, load_registry
from genaug.selection import (
    ClassFiller,
    CrossFitTools,
    SelectorChain,
    SelectorChoice,
    choose_selectors,
    read_manual_rejections,
)
from genaug.selector import Candidates, Selector, Verdict
from genaug.testing.material import tiny_split
from genaug.training import computing
from hypothesis import given, settings
from hypothesis import strategies as st

SOURCE = Source("tests", "1", "tests")


class Bright(Selector[SelectorConfig]):
    """Keeps images whose first pixel is not black; it judged `seen` candidates in all."""

    def fit(self, train, tools) -> None:
        self.seen = 0

    def judge(self, candidates: Candidates, accepted, wanted: int) -> Sequence[Verdict]:
        self.seen += len(candidates.images)
        return [Verdict(bool(image[0, 0, 0] > -1), 0.5, "its first pixel is black") for image in candidates.images]


class Late(Selector[SelectorConfig]):
    """Chooses the last candidates."""

    chooses = True
    spare = 2.0

    def fit(self, train, tools) -> None:
        pass

    def judge(self, candidates: Candidates, accepted, wanted: int) -> Sequence[Verdict]:
        count = len(candidates.images)
        return [Verdict(place >= count - wanted, place / count, "not among the last") for place in range(count)]


class Picky(Bright):
    """Refuses the first class as a whole."""

    def refused(self):
        return {0: "no reason"}


class Silent(Bright):
    """Forgets to answer."""

    def judge(self, candidates, accepted, wanted):
        return []


class Copied(Bright):
    """Takes black images for copies of one training image."""

    row = 5

    def judge(self, candidates, accepted, wanted):
        verdicts = super().judge(candidates, accepted, wanted)
        return [one if one.keep else Verdict(False, one.score, one.reason, self.row) for one in verdicts]


class Misled(Copied):
    """Names a row that no training image has."""

    row = 10**6


def choice(kind: type) -> SelectorChoice:
    description = SelectorDescription(kind.__name__.lower(), "", SelectorConfig, f"{__name__}:{kind.__name__}", api=1)
    return SelectorChoice(description, SOURCE, SelectorConfig())


SPLIT = tiny_split(1, 16, 16)
ATTRIBUTION = Attribution(SPLIT)


def chain(*kinds: type) -> SelectorChain:
    tools = CrossFitTools(lambda: cross_fit(SPLIT, seed=0, steps=2), seed=0)
    return SelectorChain([choice(kind) for kind in kinds], SPLIT, tools)


def candidates(black: Sequence[bool]) -> tuple[np.ndarray, np.ndarray]:
    images = np.full((len(black), 16, 16, 1), 200, np.uint8)
    images[:, 1, 1, 0] = np.arange(len(black)) % 256
    images[list(black), 0, 0, 0] = 0
    return images, np.full((len(black), 1), -1)


def filler(selectors: SelectorChain | None, wanted: int, excluded: frozenset[int] = frozenset()) -> ClassFiller:
    return ClassFiller(
        selectors, ATTRIBUTION, generator="some", label=0, wanted=wanted, overdraw=4.0, excluded=excluded
    )


def filled(filler: ClassFiller, black: Sequence[bool]) -> list[int]:
    images, parents = candidates(black)
    while (count := filler.next_count()) > filler.drawn:
        filler.add(images[filler.drawn : count], parents[filler.drawn : count], "weights")
    return [one.index for one in filler.finish()]


def test_without_selectors_exactly_the_first_candidates_are_kept():
    filling = filler(None, 21)
    assert filling.next_count() == 21
    assert filled(filling, [True] * 30) == list(range(21))
    assert not filling.rejected


@settings(deadline=None, max_examples=40)
@given(st.lists(st.booleans(), min_size=400, max_size=400), st.integers(1, 80))
def test_the_first_good_ones_are_kept_and_the_others_are_recorded_as_rejected(black, wanted):
    filling = filler(chain(Bright), wanted)
    kept = filled(filling, black)
    limit = CHUNK * -(-max(CHUNK, 4 * wanted) // CHUNK)
    good = [place for place, dark in enumerate(black[:limit]) if not dark]
    assert kept == good[:wanted]
    assert filling.drawn <= limit
    assert [one.index for one in filling.rejected] == [n for n in range(filling.drawn) if black[n]]
    assert len(kept) == wanted or filling.drawn == limit


@settings(deadline=None, max_examples=20)
@given(st.lists(st.booleans(), min_size=400, max_size=400), st.integers(1, 40), st.integers(1, 40))
def test_more_wanted_only_adds(black, few, more):
    first, second = (filled(filler(chain(Bright), n), black) for n in sorted((few, few + more)))
    assert second[: len(first)] == first


def test_a_refused_class_draws_nothing():
    assert chain(Bright, Picky).refused == {0: "no reason"}
    assert chain(Bright).refused == {}
    filling = ClassFiller(chain(Picky), ATTRIBUTION, generator="some", label=0, wanted=4, overdraw=4.0, refused=True)
    assert (filling.next_count(), list(filling.finish()), list(filling.rejected)) == (0, [], [])


def test_manually_rejected_candidates_are_replaced_and_recorded_as_such():
    filling = filler(None, 5, excluded=frozenset({1, 3}))
    assert filled(filling, [False] * 30) == [0, 2, 4, 5, 6]
    assert [(one.index, one.rejected_by) for one in filling.rejected] == [(1, "by hand"), (3, "by hand")]


def test_manual_rejections_are_read_by_generator_and_class_whatever_their_order(tmp_path):
    listed = ["b c/x-y-000003.png", "a/x-y-000003.png", "b c/x-y-1000000.png", "b c/z-000003.png", "a/x-y-000003.png"]
    (tmp_path / "rejected.json").write_text(json.dumps({"rejected": [f"train/{name}" for name in listed]}), "utf-8")
    assert read_manual_rejections(tmp_path / "rejected.json") == {
        ("x-y", "b c"): {3, 1000000},
        ("x-y", "a"): {3},
        ("z", "b c"): {3},
    }


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "[]", '{"rejected": [3]}'])
def test_what_is_no_list_of_manual_rejections_is_refused(tmp_path, text):
    (tmp_path / "rejected.json").write_text(text, "utf-8")
    with pytest.raises(UsageError, match="cannot be read; expected a file of the report page"):
        read_manual_rejections(tmp_path / "rejected.json")


def test_a_rejected_copy_carries_the_training_image_that_it_copies():
    filling = filler(chain(Copied), 4)
    filled(filling, [True, False] * 200)
    assert {one.copied for one in filling.rejected} == {5}
    assert {one.copied for one in filling.finish()} == {None}


def test_a_copied_image_that_does_not_exist_is_an_error_that_names_the_selector():
    with pytest.raises(PluginError, match=r"'misled' must give copied rows in \[0, \d+\), got 1000000"):
        filled(filler(chain(Misled), 4), [True] * 400)


def test_a_candidate_carries_its_generator_label_model_and_parents():
    filling = ClassFiller(None, ATTRIBUTION, generator="some", label=1, wanted=1)
    filling.add(SPLIT.images[[3]], np.array([[7, -1]]), "weights")
    (one,) = filling.finish()
    assert (one.generator, one.label, one.model, one.parents, one.source) == ("some", 1, "weights", (7,), 7)
    assert one.nearest == 3
    assert not one.tops_up


def test_a_class_that_cannot_be_filled_gives_up_at_the_limit():
    filling = filler(chain(Bright), 10)
    assert filled(filling, [True] * 200) == []
    assert filling.drawn == 48
    assert {one.reason for one in filling.rejected} == {"its first pixel is black"}


def test_choosers_get_more_than_is_wanted_and_keep_as_many_as_are():
    filling = filler(chain(Bright, Late), 20)
    kept = filled(filling, [False] * 100)
    assert filling.drawn == 48
    assert kept == list(range(28, 48))
    assert {one.rejected_by for one in filling.rejected} == {"late"}
    assert set(filling.finish()[0].scores) == {"bright", "late"}


def test_a_selector_that_forgets_a_verdict_is_named():
    with pytest.raises(PluginError, match="'silent' must give 16 verdicts, got 0"):
        filled(filler(chain(Silent), 5), [False] * 100)


def test_the_source_is_the_most_similar_parent_or_else_the_nearest_image():
    images = SPLIT.images[[0, 5]]
    sources, nearest, distances = ATTRIBUTION.find(images, np.array([[5, 7], [-1, -1]]))
    assert nearest.tolist() == [0, 5]
    assert sources.tolist() == [5, 5] or sources.tolist() == [7, 5]
    assert distances == pytest.approx([0, 0], abs=1e-5)


def test_selectors_are_chosen_by_name_with_their_settings():
    registry = load_registry()
    chosen = choose_selectors(["realism", "diversity"], {"realism": {"neighbours": 7}}, registry)
    assert [one.description.name for one in chosen] == ["realism", "diversity"]
    assert chosen[0].config.neighbours == 7
    assert choose_selectors(["none"], {}, registry) == ()
    with pytest.raises(UsageError, match="did you mean 'novelty'"):
        choose_selectors(["novlety"], {}, registry)
    with pytest.raises(UsageError, match="once"):
        choose_selectors(["novelty", "novelty"], {}, registry)
    with pytest.raises(UsageError, match="unknown selector in selectors 'real'"):
        choose_selectors(["none"], {"real": {}}, registry)


def test_classifiers_are_found_again_and_never_judge_what_they_saw(tmp_path):
    seen = []
    first = cross_fit(SPLIT, seed=0, steps=3, folder=tmp_path, report=lambda news: seen.append(news.number))
    assert set(seen) == {1, 2, 3}
    again = cross_fit(SPLIT, seed=0, steps=3, folder=tmp_path, report=lambda _: pytest.fail("trained again"))
    rows = torch.arange(len(SPLIT))
    assert torch.equal(first.probabilities(SPLIT.images, rows), again.probabilities(SPLIT.images, rows))
    other = cross_fit(SPLIT, seed=1, steps=3, folder=tmp_path)
    assert not torch.equal(first.probabilities(SPLIT.images, rows), other.probabilities(SPLIT.images, rows))


@pytest.mark.parametrize("kept", [True, False])
def test_classifiers_that_train_side_by_side_are_those_that_train_one_after_another(tmp_path, kept):
    told, rows = [], torch.arange(len(SPLIT))
    one = cross_fit(SPLIT, seed=0, steps=3, workers=1)
    two = cross_fit(SPLIT, seed=0, steps=3, workers=2, folder=tmp_path if kept else None, report=told.append)
    assert torch.equal(one.logits(SPLIT.images, rows), two.logits(SPLIT.images, rows))
    assert {(news.number, news.count) for news in told} == {(1, 3), (2, 3), (3, 3)}
    with computing(2):
        three = cross_fit(SPLIT, seed=0, steps=3, workers=1)
    assert torch.equal(one.logits(SPLIT.images, rows), three.logits(SPLIT.images, rows))


def test_a_damaged_classifier_is_trained_again(tmp_path):
    first = cross_fit(SPLIT, seed=0, steps=3, folder=tmp_path)
    stored = list(tmp_path.iterdir())
    assert len(stored) == 3
    for path in stored:
        path.write_bytes(path.read_bytes()[:-1])
    again = cross_fit(SPLIT, seed=0, steps=3, folder=tmp_path)
    assert torch.equal(first.features(SPLIT.images, torch.arange(12)), again.features(SPLIT.images, torch.arange(12)))


def test_a_table_of_candidates_holds_what_it_was_given():
    given = [
        Candidate({7: SPLIT.images[0]}, 0, "one", 7, "weights", (1, 2), 1, 2, 0.25, {"novelty": 0.5}, tops_up=True),
        Candidate({0: SPLIT.images[1]}, 1, "two", 0, "other", (), 3, 4, 1.5, kind="classical", weight=0.1),
        Candidate({8: SPLIT.images[2]}, 0, "one", 8, "weights", (1, 2), 1, 2, 0.0).rejected("novelty", "a copy", 2),
    ]
    table = CandidateTable(given)
    assert list(table) == given
    assert list(table[1:]) == given[1:]
    assert list(table.take(np.array([2, 0]), np.array([0.5, 2.0]))) == [
        given[2].with_weight(0.5),
        given[0].with_weight(2.0),
    ]
    table.extend(CandidateTable(given[:1]))
    assert list(table) == [*given, given[0]]
    table = table[:3]
    assert np.array_equal(table[2].pixels, SPLIT.images[2])
    assert table.labels.tolist() == [0, 1, 0]
    assert table.generated.tolist() == [True, False, True]
    assert table.tops_up.tolist() == [True, False, False]
    assert {key: numbers.tolist() for key, numbers in table.numbers().items()} == {(0, "one"): [7, 8], (1, "two"): [0]}
    assert not len(CandidateTable().generated)


def test_a_candidate_in_a_table_takes_little_memory():
    images = {0: SPLIT.images[0]}
    tracemalloc.start()
    try:
        table = CandidateTable()
        for index in range(20_000):
            table.append(Candidate(images, 0, "one", index, "weights", (index % 10,), 0, 0, index / 7))
        assert tracemalloc.get_traced_memory()[0] < 150 * len(table)
    finally:
        tracemalloc.stop()
