"""The contract of a selector as tests."""

from typing import ClassVar

import torch
from torch import Tensor

from genaug.chance import stream
from genaug.config import SelectorConfig
from genaug.data.split import TrainSplit
from genaug.hookspecs import SelectorDescription
from genaug.images import to_float
from genaug.registry import import_factory, load_registry
from genaug.selector import Candidates, Selector, Verdict
from genaug.testing.material import tiny_split


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

    selector: name in its description, which must be installed.
    """

    selector: ClassVar[str]

    def description(self) -> SelectorDescription:
        """The description of the selector. Override it to test one that is not installed."""
        return load_registry().selectors.get(self.selector)

    def verdicts(self) -> list[Verdict]:
        """The verdicts on ten candidates of one class: five training images and five images of noise."""
        selector, train = self._fitted()
        real = to_float(train.of_class(0).images)
        noise = torch.rand(real.shape, generator=stream(0, "kit noise")) * 2 - 1
        images = torch.cat([real, noise])
        sources = torch.arange(len(images)) % len(real)
        candidates = Candidates(images, 0, torch.empty((len(images), 0), dtype=torch.int64), sources)
        return list(selector.judge(candidates, images[:0], len(real)))

    def _fitted(self) -> tuple[Selector[SelectorConfig], TrainSplit]:
        """The selector, and the training images that it was fitted on."""
        description, train = self.description(), tiny_split(3, 16, 16)
        selector: Selector[SelectorConfig] = import_factory(description)(description.config())
        selector.fit(train, PixelTools(train))
        return selector, train

    def test_every_candidate_gets_a_verdict(self) -> None:
        """Each verdict has a score in [0, 1], and each rejection a reason."""
        verdicts = self.verdicts()
        assert len(verdicts) == 10, f"expected a verdict for each of 10 candidates, got {len(verdicts)}"
        for verdict in verdicts:
            assert 0.0 <= verdict.score <= 1.0, f"scores must lie in [0, 1], got {verdict.score}"
            assert verdict.keep or verdict.reason, "a rejection needs a reason"

    def test_no_candidate_of_a_refused_class_is_kept(self) -> None:
        """Every refusal of a class has a reason and holds for each of its candidates."""
        refused = self._fitted()[0].refused()
        assert all(refused.values()), "a refused class needs a reason"
        kept = [verdict for verdict in self.verdicts() if verdict.keep]
        assert 0 not in refused or not kept, f"class 0 is refused, but {len(kept)} of its candidates are kept"

    def test_judging_is_deterministic(self) -> None:
        """The same candidates get the same verdicts from a new selector with the same settings."""
        assert self.verdicts() == self.verdicts(), (
            "the same candidates got other verdicts; take random numbers from tools.stream"
        )
