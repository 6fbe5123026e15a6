"""The selectors of a run, fitted on its training images and applied to candidates one after another."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from genaug.config import SelectorConfig, parse
from genaug.data.split import TrainSplit
from genaug.errors import PluginError, UsageError, shown, unknown
from genaug.executors import plugin_code
from genaug.hookspecs import SelectorDescription
from genaug.images import to_float
from genaug.mixing.candidate import Candidate
from genaug.registry import Registry, Source, import_factory
from genaug.selector import Candidates, Selector, Tools, Verdict

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class SelectorChoice:
    """A selector that a run uses, with its settings."""

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
) -> tuple[SelectorChoice, ...]:
    """The selectors of these names, in this order; the single name `none` means no selector. Raises UsageError."""
    wanted = [] if list(names) == ["none"] else list(names)
    if len(set(wanted)) < len(wanted):
        raise UsageError(f"select: expected each selector once, got {', '.join(wanted)}")
    for name in settings:
        if name not in registry.selectors.names():
            raise unknown("selector in selectors", name, registry.selectors.names())
    return tuple(_choice(name, settings.get(name, {}), registry) for name in wanted)


def _choice(name: str, settings: dict[str, Any], registry: Registry) -> SelectorChoice:
    description = registry.selectors.get(name)
    config = parse(description.config, settings, f"the settings of {name}")
    return SelectorChoice(description, registry.selectors.source(name), config)


class SelectorChain:
    """Selectors in the order in which they are applied; they are fitted when first needed."""

    def __init__(self, choices: Sequence[SelectorChoice], train: TrainSplit, tools: Tools) -> None:
        self._choices, self._train, self._tools = choices, train, tools

    @cached_property
    def _selectors(self) -> dict[str, Selector[Any]]:
        with plugin_code("a selector"):
            return {one.description.name: import_factory(one.description)(one.config) for one in self._choices}

    @cached_property
    def _fitted(self) -> dict[str, Selector[Any]]:
        for selector in self._selectors.values():
            with plugin_code(f"the selector {type(selector).__name__}"):
                selector.fit(self._train, self._tools)
        return self._selectors

    @property
    def refused(self) -> dict[int, str]:
        """{label: reason} of the classes of which a selector would keep no candidate; the first selector's reason."""
        with plugin_code("a selector"):
            refusals = [selector.refused() for selector in self._fitted.values()]
            return {label: reason for found in reversed(refusals) for label, reason in found.items()}

    @property
    def spare(self) -> float:
        """How many candidates should pass for each wanted image, so that selectors that choose have a choice."""
        return max((selector.spare for selector in self._selectors.values() if selector.chooses), default=1.0)

    def judge(self, candidates: Sequence[Candidate], accepted: Sequence[Pixels], wanted: int) -> list[Candidate]:
        """The candidates with scores, and rejections, of the selectors that judge images as they are drawn.

        accepted: the candidates of the class that were accepted before, uint8 [H, W, C]. wanted: how many are needed.
        """
        return self._apply(candidates, accepted, wanted, chooses=False)

    def choose(self, candidates: Sequence[Candidate], wanted: int) -> list[Candidate]:
        """The same for the selectors that choose among all that passed; at most `wanted` stay without a rejection."""
        return self._apply(candidates, (), wanted, chooses=True)

    def _apply(
        self, candidates: Sequence[Candidate], accepted: Sequence[Pixels], wanted: int, *, chooses: bool
    ) -> list[Candidate]:
        batch, decided = _batch(candidates), list(candidates)
        before = to_float(np.stack(accepted)) if accepted else batch.images[:0]
        left = list(range(len(decided)))
        for name, selector in self._fitted.items():
            if selector.chooses is not chooses or not left:
                continue
            with plugin_code(f"the selector {name!r}"):
                verdicts = selector.judge(_rows(batch, left), before, wanted)
                _check(name, verdicts, len(left), len(self._train))
                for place, verdict in zip(left, verdicts, strict=True):
                    decided[place] = _decided(decided[place], name, verdict)
            left = [place for place in left if not decided[place].rejected_by]
        return decided


def _check(name: str, verdicts: Sequence[Verdict], expected: int, images: int) -> None:
    """Raises PluginError unless there is a valid verdict for each candidate; images: number of training images."""
    if len(verdicts) != expected:
        raise PluginError(f"the selector {name!r} must give {expected} verdicts, got {len(verdicts)}")
    for verdict in verdicts:
        if not isinstance(verdict.keep, bool | np.bool_):
            raise PluginError(f"the selector {name!r} must give keep as True or False, got {shown(verdict.keep)}")
        if not math.isfinite(verdict.score):
            raise PluginError(f"the selector {name!r} must give finite scores, got {verdict.score}")
        if verdict.copied is not None and not 0 <= verdict.copied < images:
            raise PluginError(f"the selector {name!r} must give copied rows in [0, {images}), got {verdict.copied}")


def _decided(candidate: Candidate, selector: str, verdict: Verdict) -> Candidate:
    scored = candidate.with_score(selector, float(verdict.score))
    return scored if verdict.keep else scored.rejected(selector, verdict.reason, verdict.copied)


def _batch(candidates: Sequence[Candidate]) -> Candidates:
    """Candidates of one class as selectors see them; -1 pads the parents."""
    width = max(len(one.parents) for one in candidates)
    parents = [[*one.parents, *[-1] * (width - len(one.parents))] for one in candidates]
    return Candidates(
        images=to_float(np.stack([one.pixels for one in candidates])),
        label=candidates[0].label,
        parents=torch.tensor(parents, dtype=torch.int64).reshape(len(candidates), width),
        sources=torch.tensor([one.source for one in candidates], dtype=torch.int64),
    )


def _rows(batch: Candidates, places: Sequence[int]) -> Candidates:
    rows = torch.tensor(places, dtype=torch.int64)
    return Candidates(batch.images[rows], batch.label, batch.parents[rows], batch.sources[rows])
