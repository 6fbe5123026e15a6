"""The selectors of a run, fitted on its training images, and what they say of candidates together."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from genaug.config import SelectorConfig, parse
from genaug.data.split import TrainSplit
from genaug.errors import PluginError, UsageError, unknown
from genaug.registry import Registry, SelectorDescription, Source, import_factory
from genaug.selector import Candidates, Selector, Tools, Verdict


@dataclass(frozen=True)
class Choice:
    """A selector that a run asks, with its settings."""

    description: SelectorDescription
    source: Source
    config: SelectorConfig

    def to_json(self) -> dict[str, Any]:
        """Plain values for hashes and records."""
        return {
            "name": self.description.name,
            "plugin": f"{self.source.distribution} {self.source.version}",
            "settings": self.config.model_dump(mode="json"),
        }


def choose_selectors(
    names: Sequence[str], settings: dict[str, dict[str, Any]], registry: Registry
) -> tuple[Choice, ...]:
    """Resolve selectors by name, in their order; `none` alone stands for no selector. Raises UsageError."""
    wanted = [] if list(names) == ["none"] else list(names)
    if len(set(wanted)) < len(wanted):
        raise UsageError(f"select: each selector is asked once, got {', '.join(wanted)}")
    for name in settings:
        if name not in registry.selectors.names():
            raise unknown("selector in selectors", name, registry.selectors.names())
    return tuple(_choice(name, settings.get(name, {}), registry) for name in wanted)


def _choice(name: str, settings: dict[str, Any], registry: Registry) -> Choice:
    description = registry.selectors.get(name)
    config = parse(description.config, settings, f"the settings of {name}")
    return Choice(description, registry.selectors.source(name), config)


@dataclass(frozen=True)
class Ruling:
    """What the panel says of one candidate: the scores of those that were asked, and who rejected it and why."""

    scores: dict[str, float]
    rejected_by: str = ""
    reason: str = ""


class Panel:
    """Selectors in the order in which they are asked, fitted when the first candidates come."""

    def __init__(self, choices: Sequence[Choice], train: TrainSplit, tools: Tools) -> None:
        self._choices, self._train, self._tools = choices, train, tools

    @cached_property
    def _made(self) -> dict[str, Selector[Any]]:
        return {choice.description.name: import_factory(choice.description)(choice.config) for choice in self._choices}

    @cached_property
    def _fitted(self) -> dict[str, Selector[Any]]:
        for member in self._made.values():
            member.fit(self._train, self._tools)
        return self._made

    @property
    def spare(self) -> float:
        """Candidates that should pass the judges for each wanted image, so that the choosers have a choice."""
        return max((member.spare for member in self._made.values() if member.chooses), default=1.0)

    def judge(self, candidates: Candidates, accepted: Tensor, wanted: int) -> list[Ruling]:
        """The rulings of those that judge images as they come."""
        return self._ask(candidates, accepted, wanted, chooses=False)

    def choose(self, candidates: Candidates, wanted: int) -> list[Ruling]:
        """The rulings of those that choose among all that passed; at most `wanted` are left without a rejection."""
        return self._ask(candidates, candidates.images[:0], wanted, chooses=True)

    def _ask(self, candidates: Candidates, accepted: Tensor, wanted: int, *, chooses: bool) -> list[Ruling]:
        rulings = [Ruling({}) for _ in range(len(candidates.images))]
        left = list(range(len(rulings)))
        for name, member in self._fitted.items():
            if member.chooses is not chooses or not left:
                continue
            verdicts = _verdicts(name, member, _some(candidates, left), accepted, wanted)
            for place, verdict in zip(left, verdicts, strict=True):
                rulings[place] = _after(rulings[place], name, verdict)
            left = [place for place in left if not rulings[place].rejected_by]
        return rulings


def _verdicts(
    name: str, member: Selector[Any], candidates: Candidates, accepted: Tensor, wanted: int
) -> Sequence[Verdict]:
    verdicts = member.judge(candidates, accepted, wanted)
    if len(verdicts) != len(candidates.images):
        raise PluginError(f"the selector {name!r} must give {len(candidates.images)} verdicts, got {len(verdicts)}")
    return verdicts


def _after(ruling: Ruling, name: str, verdict: Verdict) -> Ruling:
    scores = ruling.scores | {name: float(verdict.score)}
    return Ruling(scores) if verdict.keep else Ruling(scores, name, verdict.reason)


def _some(candidates: Candidates, places: Sequence[int]) -> Candidates:
    rows = torch.tensor(places, dtype=torch.int64)
    return Candidates(candidates.images[rows], candidates.label, candidates.parents[rows], candidates.stems[rows])
