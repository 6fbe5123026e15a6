"""The contract of a selector as tests."""

from typing import ClassVar

import torch
from torch import Tensor

from genaug.chance import stream
from genaug.config import SelectorConfig
from genaug.data.split import TrainSplit
from genaug.images import to_float
from genaug.registry import SelectorDescription, import_factory, load_registry
from genaug.selector import Candidates, Selector, Verdict
from genaug.testing.material import tiny_split


class PixelTools:
    """Tools by nearest class means of the pixels: crude, but real."""

    def __init__(self, train: TrainSplit) -> None:
        self._count = len(train)
        images, labels = to_float(train.images).flatten(1), torch.from_numpy(train.labels)
        self._means = torch.stack([images[labels == label].mean(dim=0) for label in range(len(train.spec.classes))])

    @property
    def folds(self) -> Tensor:
        """One fold for all."""
        return torch.zeros(self._count, dtype=torch.int64)

    def features(self, images: Tensor, stems: Tensor) -> Tensor:
        """Pixels, float32 [N, D]."""
        return images.flatten(1)

    def probabilities(self, images: Tensor, stems: Tensor) -> Tensor:
        """By distance to the class means, float32 [N, K]."""
        return torch.softmax(-torch.cdist(images.flatten(1), self._means), dim=1)

    def stream(self, purpose: str) -> torch.Generator:
        """A stream of the purpose."""
        return stream(0, "kit", purpose)


class SelectorContract:
    """All that a selector promises; subclass it and name the selector."""

    selector: ClassVar[str]

    def description(self) -> SelectorDescription:
        """The selector as the registry knows it."""
        return load_registry().selectors.get(self.selector)

    def judged(self) -> list[Verdict]:
        """Verdicts on training images of one class and as many of noise."""
        description = self.description()
        made: Selector[SelectorConfig] = import_factory(description)(description.config())
        train = tiny_split(3, 16, 16)
        made.fit(train, PixelTools(train))
        real = to_float(train.of_class(0).images)
        noise = torch.rand(real.shape, generator=stream(0, "kit noise")) * 2 - 1
        images = torch.cat([real, noise])
        stems = torch.arange(len(images)) % len(real)
        candidates = Candidates(images, 0, torch.empty((len(images), 0), dtype=torch.int64), stems)
        return list(made.judge(candidates, images[:0], len(real)))

    def test_every_candidate_gets_a_verdict(self) -> None:
        """With a score in [0, 1], and a reason where it is not kept."""
        verdicts = self.judged()
        assert len(verdicts) == 10, f"expected a verdict for each of 10 candidates, got {len(verdicts)}"
        for verdict in verdicts:
            assert 0.0 <= verdict.score <= 1.0, f"scores lie in [0, 1], got {verdict.score}"
            assert verdict.keep or verdict.reason, "a rejection needs a reason"

    def test_judging_is_deterministic(self) -> None:
        """The same candidates get the same verdicts."""
        assert self.judged() == self.judged(), "the same candidates got other verdicts"
