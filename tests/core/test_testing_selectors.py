"""The kit of selectors catches faulty ones: each fault fails the check that is meant for it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from genaug.config import SelectorConfig
from genaug.hookspecs import SelectorDescription
from genaug.selector import Selector, Verdict
from genaug.testing import SelectorContract

from tests.kits import run_all, tried


class Confident(Selector[SelectorConfig]):
    """A sound selector: keeps what the tools' classifier assigns to the class."""

    def fit(self, train, tools):
        self.tools, self.train = tools, train

    def judge(self, candidates, accepted, wanted):
        sure = self.tools.probabilities(candidates.images, candidates.sources)[:, candidates.label].tolist()
        return [Verdict(score > 0.5, score, f"probability {score:.2f}") for score in sure]


class Unlike(Confident):
    """A sound selector: rejects what repeats an image that was kept before."""

    def judge(self, candidates, accepted, wanted):
        kept, verdicts = list(accepted), []
        for image in candidates.images:
            new = image.std() > 0 and all((image - other).abs().mean() > 0.05 for other in kept)
            verdicts.append(Verdict(bool(new), float(new), "repeats an image"))
            kept += [image] if new else []
        return verdicts


class Brightest(Confident):
    """A sound selector that chooses: keeps the brightest ones."""

    chooses = True

    def judge(self, candidates, accepted, wanted):
        bright = candidates.images.mean(dim=(1, 2, 3))
        best = set(bright.argsort(descending=True)[:wanted].tolist())
        return [Verdict(place in best, float(place in best), "darker") for place in range(len(bright))]


class Skipping(Confident):
    def judge(self, candidates, accepted, wanted):
        return super().judge(candidates, accepted, wanted)[1:]


class Boundless(Confident):
    def judge(self, candidates, accepted, wanted):
        return [replace(one, score=one.score + 1) for one in super().judge(candidates, accepted, wanted)]


class Silent(Confident):
    def judge(self, candidates, accepted, wanted):
        return [replace(one, reason="") for one in super().judge(candidates, accepted, wanted)]


class Numeric(Confident):
    def judge(self, candidates, accepted, wanted):
        return [replace(one, keep=one.score) for one in super().judge(candidates, accepted, wanted)]


class CopiesNobody(Confident):
    def judge(self, candidates, accepted, wanted):
        return [replace(one, copied=len(self.train)) for one in super().judge(candidates, accepted, wanted)]


class Wavering(Confident):
    def refused(self):
        return {0: "no reason"}


class Counting(Confident):
    calls = 0

    def judge(self, candidates, accepted, wanted):
        self.calls += 1
        return [replace(one, score=one.score / self.calls) for one in super().judge(candidates, accepted, wanted)]


class Random(Confident):
    def fit(self, train, tools):
        super().fit(train, tools)
        self.factor = np.random.rand()

    def judge(self, candidates, accepted, wanted):
        return [replace(one, score=one.score * self.factor) for one in super().judge(candidates, accepted, wanted)]


class TouchesCandidates(Confident):
    def judge(self, candidates, accepted, wanted):
        verdicts = super().judge(candidates, accepted, wanted)
        candidates.images.clamp_(-0.5, 0.5)
        return verdicts


class TouchesAccepted(Confident):
    def judge(self, candidates, accepted, wanted):
        accepted.zero_()
        return super().judge(candidates, accepted, wanted)


class TouchesTraining(Confident):
    def fit(self, train, tools):
        super().fit(train, tools)
        train.images[:] = 255 - train.images


class BesideOthers(Confident):
    def judge(self, candidates, accepted, wanted):
        verdicts = super().judge(candidates, accepted, wanted)
        middle = sum(one.score for one in verdicts) / len(verdicts)
        return [Verdict(one.score >= middle, one.score, "worse than the others") for one in verdicts]


class EverySecond(Confident):
    def judge(self, candidates, accepted, wanted):
        verdicts = super().judge(candidates, accepted, wanted)
        return [replace(one, keep=one.keep and place % 2 == 0) for place, one in enumerate(verdicts)]


class Generous(Confident):
    def judge(self, candidates, accepted, wanted):
        return [replace(one, keep=one.score > 1 / wanted) for one in super().judge(candidates, accepted, wanted)]


class TooMany(Brightest):
    def judge(self, candidates, accepted, wanted):
        return super().judge(candidates, accepted, wanted + 1)


class FirstOnes(Brightest):
    def judge(self, candidates, accepted, wanted):
        return [Verdict(place < wanted, 1.0, "too late") for place in range(len(candidates.images))]


class RejectsAll(Confident):
    def judge(self, candidates, accepted, wanted):
        return [Verdict(False, 0.0, "never good enough") for _ in candidates.images]


class KeepsAll(Confident):
    def judge(self, candidates, accepted, wanted):
        return [Verdict(True, 1.0, "") for _ in candidates.images]


ALONE = "test_a_verdict_depends_on_no_other_candidate_but_accepted_ones"
FAULTS = [
    (Skipping, "test_every_candidate_gets_a_verdict", "a verdict for each of 20 candidates, got 19"),
    (Boundless, "test_every_candidate_gets_a_verdict", r"scores must lie in \[0, 1\]"),
    (Silent, "test_every_candidate_gets_a_verdict", "needs a reason"),
    (Numeric, "test_every_candidate_gets_a_verdict", "keep must be True or False"),
    (CopiesNobody, "test_every_candidate_gets_a_verdict", "copied must be a training row, got 44"),
    (Wavering, "test_no_candidate_of_a_refused_class_is_kept", "class 0 is refused, but"),
    (Counting, "test_judging_is_deterministic", "got other verdicts"),
    (Random, "test_judging_is_deterministic", "global random generator"),
    (TouchesCandidates, "test_the_input_stays_as_it_is", "changed the images of the candidates"),
    (TouchesAccepted, "test_the_input_stays_as_it_is", "changed the accepted images"),
    (TouchesTraining, "test_the_input_stays_as_it_is", "changed the training images"),
    (BesideOthers, ALONE, "judged one by one"),
    (EverySecond, ALONE, "judged one by one"),
    (Generous, "test_the_number_of_wanted_images_decides_nothing", "with one image wanted"),
    (TooMany, "test_the_number_of_wanted_images_decides_nothing", "4 images were wanted, but 5 are kept"),
    (FirstOnes, "test_a_choice_does_not_depend_on_the_order", "in reversed order"),
    (RejectsAll, "test_some_good_candidates_are_kept", "all good candidates are rejected: .*never good enough"),
    (KeepsAll, "test_some_bad_candidates_are_rejected", "are all kept"),
]


def contract_for(factory: type) -> SelectorContract:
    return tried(
        SelectorContract, SelectorDescription("tried", "", SelectorConfig, f"{__name__}:{factory.__name__}", api=1)
    )


@pytest.mark.parametrize("sound", [Confident, Unlike, Brightest])
def test_a_sound_selector_keeps_every_promise(sound):
    assert run_all(contract_for(sound)) == 9


@pytest.mark.parametrize(("fault", "promise", "words"), FAULTS, ids=[fault.__name__ for fault, _, _ in FAULTS])
def test_a_planted_fault_is_caught(fault, promise, words):
    with pytest.raises(AssertionError, match=words):
        getattr(contract_for(fault), promise)()


def test_each_promise_is_broken_by_a_planted_fault():
    assert {promise for _, promise, _ in FAULTS} == {name for name in dir(SelectorContract) if name.startswith("test_")}


def test_the_classifier_of_the_kit_tells_its_classes_apart():
    contract = contract_for(Confident)
    selector = contract.fitted(contract.train())
    assert (selector.tools.probabilities(contract.good(), torch.zeros(10))[:, 0] > 0.9).all()
