"""Checks each promise of a contract without pytest, for a plugin that is installed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from genaug.config import parse
from genaug.errors import GenaugError
from genaug.executors import plugin_code
from genaug.registry import load_registry
from genaug.testing.generators import GeneratorContract
from genaug.testing.metrics import MetricContract
from genaug.testing.selectors import SelectorContract

_TEST = "test_"


@dataclass(frozen=True)
class Checked:
    """A promise of a contract, in words, and how the plugin breaks it; the fault is empty if it keeps it."""

    promise: str
    fault: str


def checked(contract: object) -> Iterator[Checked]:
    """Every promise of a contract of the kit, in the order of its tests, each checked when it is asked for."""
    for name in _tests(type(contract)):
        yield Checked(name.removeprefix(_TEST).replace("_", " "), _fault(contract, name))


def generator_contract(name: str, preset: str, settings: Mapping[str, Any]) -> GeneratorContract:
    """The contract of an installed generator; raises UsageError for a name or setting that there is not."""
    values = {"generator": name, "preset": preset, "settings": settings}
    contract: GeneratorContract = type("Contract", (GeneratorContract,), values)()
    contract.config(contract.square()[1])
    return contract


def metric_contract(name: str, harm: str, settings: Mapping[str, Any]) -> MetricContract:
    """The contract of an installed metric; raises UsageError as the others do."""
    parse(load_registry().metrics.get(name).config, settings, f"the settings of {name}")
    values = {"metric": name, "harm": harm, "settings": settings}
    contract: MetricContract = type("Contract", (MetricContract,), values)()
    return contract


def selector_contract(name: str, settings: Mapping[str, Any]) -> SelectorContract:
    """The contract of an installed selector; raises UsageError as the others do."""
    parse(load_registry().selectors.get(name).config, settings, f"the settings of {name}")
    contract: SelectorContract = type("Contract", (SelectorContract,), {"selector": name, "settings": settings})()
    return contract


def _tests(contract: type) -> list[str]:
    return [name for kind in reversed(contract.__mro__) for name in vars(kind) if name.startswith(_TEST)]


def _fault(contract: object, name: str) -> str:
    try:
        with plugin_code("the plugin"):
            return _broken(contract, name)
    except GenaugError as error:
        return str(error)


def _broken(contract: object, name: str) -> str:
    try:
        getattr(contract, name)()
    except AssertionError as error:
        return str(error) or "an assertion in the plugin fails"
    return ""
