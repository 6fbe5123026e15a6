"""The contract of a selector as tests."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from genaug.chance import chance_states, moved_chance, same_states, stream
from genaug.config import SelectorConfig, parse
from genaug.data.split import TrainSplit
from genaug.hookspecs import SelectorDescription
from genaug.images import to_float
from genaug.registry import import_factory, load_registry
from genaug.selector import Candidates, Selector, Verdict
from genaug.testing.material import tiny_images, tiny_split

_SHAPE = (16, 16, 3)
_COUNTS = (20, 14, 10)
_GOOD = 10
_CLOSE = 1e-3  # of scores: sums of floats depend on the order of their terms


class PixelTools:
    """The tools that the kit hands to a selector: a simple classifier on pixels instead of trained networks.

    Its features are the pixels, and its probabilities follow the distance to the mean image of each class. All training
    images are in one fold, so `sources` changes nothing.
    train: the training images, with at least one of each class.
    """

    def __init__(self, train: TrainSplit) -> None:
        self._count = len(train)
        images, labels = to_float(train.images).flatten(1), torch.from_numpy(train.labels)
        self._means = torch.stack([images[labels == label].mean(dim=0) for label in range(len(train.spec.classes))])

    @property
    def folds(self) -> Tensor:
        """The fold of each training image, int64 [N]: 0 for all."""
        return torch.zeros(self._count, dtype=torch.int64)

    def features(self, images: Tensor, sources: Tensor) -> Tensor:
        """The pixels of images [N, C, H, W] as features, float32 [N, D]."""
        return images.flatten(1)

    def probabilities(self, images: Tensor, sources: Tensor) -> Tensor:
        """Class probabilities by the distance to the mean image of each class, float32 [N, K]."""
        return torch.softmax(-torch.cdist(images.flatten(1), self._means), dim=1)

    def stream(self, purpose: str) -> torch.Generator:
        """A random stream that depends on the purpose alone."""
        return stream(0, "kit", purpose)


class SelectorContract:
    """Tests of all that a selector promises. Subclass it, set `selector`, and run pytest.

        class TestMine(SelectorContract):
            selector = "mine"

    selector: name in its description, which must be installed.
    settings: changes to its default settings.
    """

    selector: ClassVar[str]
    settings: ClassVar[Mapping[str, Any]] = {}

    def description(self) -> SelectorDescription:
        """The description of the selector. Override it to test one that is not installed."""
        return load_registry().selectors.get(self.selector)

    def train(self) -> TrainSplit:
        """The training images of the tests: 20, 14 and 10 of three classes."""
        return tiny_split(_SHAPE[2], *_SHAPE[:2], _COUNTS)

    def fitted(self, train: TrainSplit) -> Selector[SelectorConfig]:
        """A new selector with the settings of the test, fitted on these images."""
        description = self.description()
        config = parse(description.config, self.settings, f"the settings of {description.name}")
        selector: Selector[SelectorConfig] = import_factory(description)(config)
        selector.fit(train, PixelTools(train))
        return selector

    def good(self) -> Tensor:
        """Ten new images of class 0, of the same kind as the training images, [N, C, H, W]."""
        return to_float(tiny_images(np.zeros(_GOOD, dtype=np.int64), _SHAPE, "good candidates"))

    def bad(self) -> Tensor:
        """Images that are no good ones of class 0: copies of training images, another class, noise, blurred, flat."""
        noise = torch.rand((2, _SHAPE[2], *_SHAPE[:2]), generator=stream(0, "kit noise")) * 2 - 1
        copies = to_float(self.train().of_class(0).images[:2])
        others = to_float(tiny_images(np.ones(2, dtype=np.int64), _SHAPE, "candidates of another class"))
        blurred = torch.nn.functional.avg_pool2d(self.good()[:2], 5, stride=1, padding=2)
        flat = torch.ones_like(noise) * torch.tensor([0.9, -0.9])[:, None, None, None]
        return torch.cat([copies, others, noise, blurred, flat])

    def mixed(self) -> Tensor:
        """Good and bad images in turn."""
        return torch.stack([self.good(), self.bad()], dim=1).flatten(0, 1)

    def test_every_candidate_gets_a_verdict(self) -> None:
        """Each verdict has a decision and a score in [0, 1], and each rejection a reason."""
        images = self.mixed()
        verdicts = _judged(self.fitted(self.train()), images)
        assert len(verdicts) == len(images), (
            f"expected a verdict for each of {len(images)} candidates, got {len(verdicts)}"
        )
        for verdict in verdicts:
            assert isinstance(verdict.keep, bool | np.bool_), f"keep must be True or False, got {verdict.keep!r}"
            assert 0.0 <= verdict.score <= 1.0, f"scores must lie in [0, 1], got {verdict.score}"
            assert verdict.keep or verdict.reason, "a rejection needs a reason"
            copied = verdict.copied
            assert copied is None or 0 <= copied < sum(_COUNTS), f"copied must be a training row, got {copied}"

    def test_no_candidate_of_a_refused_class_is_kept(self) -> None:
        """Every refusal of a class has a reason and holds for each of its candidates."""
        selector = self.fitted(self.train())
        refused = selector.refused()
        assert all(refused.values()), "a refused class needs a reason"
        kept = sum(verdict.keep for verdict in _judged(selector, self.mixed()))
        assert 0 not in refused or not kept, f"class 0 is refused, but {kept} of its candidates are kept"

    def test_judging_is_deterministic(self) -> None:
        """The same candidates get the same verdicts, again and from a new selector, whatever global chance is."""
        found = []
        for start in (1, 2):
            with moved_chance(start):
                before = chance_states()
                selector = self.fitted(self.train())
                found += [_judged(selector, self.mixed()), _judged(selector, self.mixed())]
                still = same_states(before, chance_states())
            assert still, "the selector changed a global random generator of torch, numpy or random; use tools.stream"
        assert all(verdicts == found[0] for verdicts in found), (
            "the same candidates got other verdicts; take random numbers from tools.stream, and count nothing"
        )

    def test_the_input_stays_as_it_is(self) -> None:
        """Other selectors receive the same training images and candidates."""
        train, images = self.train(), self.mixed()
        candidates, accepted = _candidates(images), self.good()[:3]
        self.fitted(train).judge(candidates, accepted, len(images))
        expected = _candidates(self.mixed())
        assert np.array_equal(train.images, self.train().images), "the selector changed the training images"
        assert torch.equal(accepted, self.good()[:3]), "the selector changed the accepted images"
        for part in ("images", "parents", "sources"):
            same = torch.equal(getattr(candidates, part), getattr(expected, part))
            assert same, f"the selector changed the {part} of the candidates; work on a copy"

    def test_a_verdict_depends_on_no_other_candidate_but_accepted_ones(self) -> None:
        """Candidates that are judged one by one, with those accepted before, get the verdicts of one batch."""
        selector, images = self.fitted(self.train()), self.mixed()
        if selector.chooses:
            return
        _assert_same(_judged(selector, images), _one_by_one(selector, images), "judged one by one")

    def test_the_number_of_wanted_images_decides_nothing(self) -> None:
        """A selector judges each candidate alike, however many are wanted; one that chooses keeps at most as many."""
        selector, images = self.fitted(self.train()), self.mixed()
        if selector.chooses:
            kept = sum(verdict.keep for verdict in _judged(selector, images, wanted=4))
            assert kept <= 4, f"4 images were wanted, but {kept} are kept"
        else:
            _assert_same(_judged(selector, images), _judged(selector, images, wanted=1), "with one image wanted")

    def test_a_choice_does_not_depend_on_the_order(self) -> None:
        """A selector that chooses keeps the same candidates, in whatever order it receives them."""
        selector, images = self.fitted(self.train()), self.mixed()
        if selector.chooses:
            turned = _judged(selector, images.flip(0), wanted=4)
            _assert_same(_judged(selector, images, wanted=4), turned[::-1], "in reversed order")

    def test_some_good_candidates_are_kept(self) -> None:
        """Not all new images of the kind of the training images are rejected."""
        verdicts = _judged(self.fitted(self.train()), self.good())
        reasons = sorted({verdict.reason for verdict in verdicts})
        assert any(verdict.keep for verdict in verdicts), f"all good candidates are rejected: {reasons[:3]}"

    def test_some_bad_candidates_are_rejected(self) -> None:
        """Not all copies, images of another class, noise, blurred and flat images are kept."""
        bad = self.bad()
        verdicts = _judged(self.fitted(self.train()), bad, wanted=len(bad) - 1)
        assert not all(verdict.keep for verdict in verdicts), (
            "copies of training images, images of another class, noise, blurred and flat images are all kept"
        )


def _candidates(images: Tensor) -> Candidates:
    """Candidates of class 0 without parents; their sources are the training images of class 0 in turn."""
    sources = torch.arange(len(images)) % _COUNTS[0]
    return Candidates(images, 0, torch.empty((len(images), 0), dtype=torch.int64), sources)


def _judged(selector: Selector[Any], images: Tensor, wanted: int | None = None) -> list[Verdict]:
    return list(selector.judge(_candidates(images), images[:0], len(images) if wanted is None else wanted))


def _one_by_one(selector: Selector[Any], images: Tensor) -> list[Verdict]:
    whole, verdicts = _candidates(images), list[Verdict]()
    for place in range(len(images)):
        accepted = images[[before for before, verdict in enumerate(verdicts) if verdict.keep]]
        row = slice(place, place + 1)
        one = Candidates(images[row], 0, whole.parents[row], whole.sources[row])
        verdicts += selector.judge(one, accepted, len(images) - len(accepted))
    return verdicts


def _assert_same(first: Sequence[Verdict], second: Sequence[Verdict], how: str) -> None:
    assert len(first) == len(second), f"{len(first)} verdicts, but {len(second)} {how}"
    for place, (one, two) in enumerate(zip(first, second, strict=True)):
        same = bool(one.keep) == bool(two.keep) and abs(one.score - two.score) <= _CLOSE
        assert same, f"candidate {place} got {_shown(one)}, and {how} {_shown(two)}"


def _shown(verdict: Verdict) -> str:
    return f"{'kept' if verdict.keep else 'rejected'} with score {verdict.score:.4f}"
