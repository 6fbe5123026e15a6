"""Descriptions of plugins, the hooks that deliver them, and the loading of entry points one by one.

A third-party plugin is a package with an entry point in the group `genaug` that names a module like this:

    from genaug.registry import GeneratorDescription, hookimpl

    @hookimpl
    def genaug_generators():
        return [GeneratorDescription(name="mine", ..., factory="genaug_mine.generator:Mine")]

Nothing here, and nothing in such a module, may import torch: describing plugins must stay a matter of milliseconds.
"""

import importlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import pluggy

from genaug.config import GeneratorConfig, MetricConfig, Preset, SelectorConfig
from genaug.errors import PluginError, UsageError, unknown
from genaug.spec import ImageSpec

if TYPE_CHECKING:
    from genaug.generator import AnyGenerator

API_VERSION = 1
GROUP = "genaug"
RESTRICTION = "GENAUG_PLUGINS"

hookspec = pluggy.HookspecMarker("genaug")
hookimpl = pluggy.HookimplMarker("genaug")


@dataclass(frozen=True)
class Needs:
    """What a generator must have to work at all.

    least_images: fewest training images of one class. channels: numbers of channels it can model.
    """

    least_images: int = 1
    channels: tuple[int, ...] = (1, 3)


@dataclass(frozen=True)
class GeneratorDescription:
    """A generator as the registry knows it: everything but the code.

    rank: position among the installed generators, lowest first; the first is the default.
    presets: functions from (what the data imposes, device kind "cpu" | "cuda" | "mps") to settings; free of torch.
    factory: import string "package.module:Class" of the Generator.
    conditioning: "class" for one model over all classes, "none" for one model per class.
    judged: False for a generator that varies real images on purpose, so that no selector has a say.
    """

    name: str
    summary: str
    rank: int
    config: type[GeneratorConfig]
    presets: Mapping[str, Callable[[ImageSpec, str], Preset]]
    factory: str
    conditioning: Literal["none", "class"]
    needs: Needs = Needs()
    judged: bool = True
    paper: str = ""
    api: int = API_VERSION


@dataclass(frozen=True)
class MetricDescription:
    """A metric as the registry knows it. least_images: below so many on either side it says little."""

    name: str
    summary: str
    config: type[MetricConfig]
    factory: str
    least_images: int = 2
    paper: str = ""
    api: int = API_VERSION


@dataclass(frozen=True)
class SelectorDescription:
    """A selector as the registry knows it."""

    name: str
    summary: str
    config: type[SelectorConfig]
    factory: str
    paper: str = ""
    api: int = API_VERSION


class Hooks:
    """What a plugin may implement. Each hook returns a list of descriptions."""

    @hookspec
    def genaug_generators(self) -> Sequence[GeneratorDescription]:
        """Generators of this plugin."""
        return ()

    @hookspec
    def genaug_metrics(self) -> Sequence[MetricDescription]:
        """Metrics of this plugin."""
        return ()

    @hookspec
    def genaug_selectors(self) -> Sequence[SelectorDescription]:
        """Selectors of this plugin."""
        return ()


@dataclass(frozen=True)
class Source:
    """Where a description came from: the distribution, its version, and the entry point."""

    distribution: str
    version: str
    entry_point: str


@dataclass(frozen=True)
class Fault:
    """A plugin that could not be used, and why."""

    source: Source
    reason: str


Description = TypeVar("Description", GeneratorDescription, MetricDescription, SelectorDescription)


@dataclass
class Shelf(Generic[Description]):
    """All descriptions of one kind by name, with their sources."""

    kind: str
    _entries: dict[str, list[tuple[Description, Source]]] = field(default_factory=dict)

    def put(self, description: Description, source: Source) -> None:
        """Add a description; a second one of the same name makes the name unusable."""
        self._entries.setdefault(description.name, []).append((description, source))

    def names(self) -> list[str]:
        """Usable names, sorted."""
        return sorted(name for name, entries in self._entries.items() if len(entries) == 1)

    def clashes(self) -> list[str]:
        """One sentence for each name that several plugins claim."""
        return [self._clash(name) for name, entries in sorted(self._entries.items()) if len(entries) > 1]

    def get(self, name: str) -> Description:
        """The description of that name; raises UsageError if unknown, PluginError if two plugins claim it."""
        return self._only(name)[0]

    def source(self, name: str) -> Source:
        """Where the description of that name came from."""
        return self._only(name)[1]

    def _only(self, name: str) -> tuple[Description, Source]:
        entries = self._entries.get(name)
        if entries is None:
            raise unknown(self.kind, name, self.names())
        if len(entries) > 1:
            raise PluginError(self._clash(name))
        return entries[0]

    def _clash(self, name: str) -> str:
        owners = " and ".join(sorted(source.distribution for _, source in self._entries[name]))
        return f"the {self.kind} name {name!r} is claimed by {owners}; uninstall one of them, or set {RESTRICTION}"


class Registry:
    """What is installed: generators, metrics, selectors, and the plugins that could not be used."""

    def __init__(self) -> None:
        self.generators: Shelf[GeneratorDescription] = Shelf("generator")
        self.metrics: Shelf[MetricDescription] = Shelf("metric")
        self.selectors: Shelf[SelectorDescription] = Shelf("selector")
        self.faults: list[Fault] = []
        self._hosts = pluggy.PluginManager("genaug")
        self._hosts.add_hookspecs(Hooks)

    def default_generator(self) -> str:
        """The name that ranks first; raises PluginError when no generator is installed."""
        names = self.generators.names()
        if not names:
            raise PluginError('no generator is installed; install some with: pip install "genaug[models]"')
        return min(names, key=lambda name: (self.generators.get(name).rank, name))

    def add(self, plugin: object, source: Source) -> None:
        """Take in all that one plugin module offers, or none of it and a fault that says why."""
        try:
            offers = self._offers(plugin, source)
        except Exception as error:  # a plugin may raise anything; it spoils only itself
            self._hosts.unregister(plugin)
            self.faults.append(Fault(source, f"{type(error).__name__}: {error}"))
            return
        for shelf, description in offers:
            shelf.put(description, source)

    def load(self, entry_point: EntryPoint) -> None:
        """Import one plugin and take in what it offers; a broken one becomes a fault."""
        source = _source(entry_point)
        try:
            plugin = entry_point.load()
        except Exception as error:  # as above
            self.faults.append(Fault(source, f"{type(error).__name__}: {error}"))
            return
        self.add(plugin, source)

    def _offers(self, plugin: object, source: Source) -> list[tuple[Shelf[Any], Any]]:
        self._hosts.register(plugin, name=f"{source.distribution}:{source.entry_point}")
        self._hosts.check_pending()
        others = [other for other in self._hosts.get_plugins() if other is not plugin]
        kinds: list[tuple[str, Shelf[Any], type]] = [
            ("genaug_generators", self.generators, GeneratorDescription),
            ("genaug_metrics", self.metrics, MetricDescription),
            ("genaug_selectors", self.selectors, SelectorDescription),
        ]
        offers = []
        for hook, shelf, kind in kinds:
            for answer in self._hosts.subset_hook_caller(hook, remove_plugins=others)():
                offers += [(shelf, _checked(description, kind, hook)) for description in answer]
        return offers


def load_registry() -> Registry:
    """Core's own plugins and all installed ones, or those that the environment variable GENAUG_PLUGINS names."""
    from genaug import builtin

    registry = Registry()
    registry.add(builtin, Source("genaug", importlib.metadata.version("genaug"), "builtin"))
    for entry_point in _wanted(entry_points(group=GROUP)):
        registry.load(entry_point)
    return registry


def import_factory(description: GeneratorDescription | MetricDescription | SelectorDescription) -> Any:
    """The class that a description's import string names; raises PluginError when it is not there."""
    module, _, name = description.factory.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except Exception as error:  # the plugin's code runs here for the first time
        raise PluginError(
            f"{description.name!r} cannot be loaded from {description.factory}: {type(error).__name__}: {error}"
        ) from error


def make_generator(description: GeneratorDescription, spec: ImageSpec, config: GeneratorConfig) -> "AnyGenerator":
    """A fresh, untrained generator for this data."""
    generator: AnyGenerator = import_factory(description)(spec, config)
    return generator


def _checked(description: Any, kind: type[Any], hook: str) -> Any:
    if not isinstance(description, kind):
        raise TypeError(f"{hook} must return {kind.__name__} objects, got {type(description).__name__}")
    if description.api != API_VERSION:
        raise ValueError(f"{description.name!r} speaks API {description.api}, this genaug speaks {API_VERSION}")
    return description


def _wanted(found: Iterable[EntryPoint]) -> list[EntryPoint]:
    listed = sorted(found, key=lambda entry: (_source(entry).distribution, entry.name))
    restriction = os.environ.get(RESTRICTION)
    if restriction is None:
        return listed
    wanted = {name.strip() for name in restriction.split(",") if name.strip()}
    known = {name for entry in listed for name in (entry.name, _source(entry).distribution)}
    if missing := sorted(wanted - known):
        raise UsageError(f"{RESTRICTION} names {', '.join(missing)}; installed: {', '.join(sorted(known)) or 'none'}")
    return [entry for entry in listed if {entry.name, _source(entry).distribution} & wanted]


def _source(entry_point: EntryPoint) -> Source:
    distribution = entry_point.dist
    name, version = (distribution.name, distribution.version) if distribution else ("unknown", "unknown")
    return Source(name, version, entry_point.name)
