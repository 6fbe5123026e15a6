"""Find and load plugins: core's own by module name, installed ones by their entry points, each one separately."""

import importlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pluggy

from genaug.config import GeneratorConfig, Preset
from genaug.errors import GenaugError, PluginError, UsageError, located, log_traceback, shown, unknown
from genaug.hookspecs import (
    GeneratorDescription,
    Hooks,
    MetricDescription,
    SelectorDescription,
)
from genaug.plugin_checks import check_hooks, checked
from genaug.spec import ImageSpec
from genaug.version import __version__

if TYPE_CHECKING:
    from genaug.generator import AnyGenerator

__all__ = ["load_registry", "make_generator"]

GROUP = "genaug"
RESTRICTION = "GENAUG_PLUGINS"
_CORE_PLUGINS = ("genaug.generators.plugin", "genaug.metrics.plugin", "genaug.selectors.plugin")


@dataclass(frozen=True)
class Source:
    """Where a description comes from: the distribution, its version, and the entry point."""

    distribution: str
    version: str
    entry_point: str


@dataclass(frozen=True)
class Fault:
    """A plugin that could not be loaded, why, and the names in those of its descriptions that could be read."""

    source: Source
    error: BaseException
    names: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Why it could not be loaded."""
        return located(self.error, core=False)

    def claims(self, name: str) -> bool:
        """Whether a user who gives this name probably means this plugin."""
        own = (self.source.entry_point, self.source.distribution, self.source.distribution.removeprefix("genaug-"))
        return name in self.names or name.replace("_", "-") in {one.replace("_", "-") for one in own}


Description = TypeVar("Description", GeneratorDescription, MetricDescription, SelectorDescription)


@dataclass
class Shelf(Generic[Description]):
    """All descriptions of one kind (generator, metric or selector) by name, with their sources."""

    kind: str
    faults: Sequence[Fault] = ()
    _entries: dict[str, list[tuple[Description, Source]]] = field(default_factory=dict)

    def put(self, description: Description, source: Source) -> None:
        """Add a description. A name that is added twice can no longer be used."""
        self._entries.setdefault(description.name, []).append((description, source))

    def names(self) -> list[str]:
        """Names that can be used, sorted."""
        return sorted(name for name, entries in self._entries.items() if len(entries) == 1)

    def clashes(self) -> list[str]:
        """One error message for each name that several plugins use."""
        return [self._clash(name) for name, entries in sorted(self._entries.items()) if len(entries) > 1]

    def get(self, name: str) -> Description:
        """The description of this name.

        Raises UsageError if it is unknown, PluginError if two plugins use it, or if its plugin could not be loaded.
        """
        return self._only(name)[0]

    def source(self, name: str) -> Source:
        """Where the description of this name comes from; raises as `get` does."""
        return self._only(name)[1]

    def _only(self, name: str) -> tuple[Description, Source]:
        entries = self._entries.get(name)
        if entries is None:
            raise self._missing(name)
        if len(entries) > 1:
            raise PluginError(self._clash(name))
        return entries[0]

    def _missing(self, name: str) -> GenaugError:
        broken = next((fault for fault in self.faults if fault.claims(name)), None)
        if broken is not None:
            error = PluginError(f"{self.kind} {name!r}: {broken.source.distribution} cannot be used: {broken.reason}")
            error.__cause__ = broken.error
            return error
        listed = "; ".join(f"{fault.source.distribution} cannot be used: {fault.reason}" for fault in self.faults)
        return UsageError("; ".join(filter(None, [str(unknown(self.kind, name, self.names())), listed])))

    def _clash(self, name: str) -> str:
        owners = " and ".join(sorted(source.distribution for _, source in self._entries[name]))
        return f"the {self.kind} name {name!r} is claimed by {owners}; uninstall one of them, or set {RESTRICTION}"


class Registry:
    """All generators, metrics and selectors that are installed, and the plugins that could not be loaded (`faults`)."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.generators: Shelf[GeneratorDescription] = Shelf("generator", self.faults)
        self.metrics: Shelf[MetricDescription] = Shelf("metric", self.faults)
        self.selectors: Shelf[SelectorDescription] = Shelf("selector", self.faults)
        self._manager = pluggy.PluginManager("genaug")
        self._manager.add_hookspecs(Hooks)

    def default_generator(self) -> str:
        """The name of the generator with the lowest rank. Raises PluginError if no generator is installed."""
        names = self.generators.names()
        if not names:
            raise PluginError(
                "no generator is installed; install some, in a clone of genaug: "
                "pip install ./core ./plugins/vae ./plugins/cvae"
            )
        return min(names, key=lambda name: (self.generators.get(name).rank, name))

    def add(self, plugin: object, source: Source) -> None:
        """Add all descriptions of one plugin module. If one of them is faulty, add none, and record the fault."""
        names: list[str] = []
        try:
            found = self._descriptions(plugin, source, names)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a plugin may raise anything, and must not break the others
            self._manager.unregister(plugin)
            self._record(Fault(source, error, tuple(names)))
            return
        for shelf, description in found:
            shelf.put(description, source)

    def load(self, entry_point: EntryPoint) -> None:
        """Import one plugin and add its descriptions. If it cannot be imported, record the fault."""
        source = _source(entry_point)
        try:
            plugin = entry_point.load()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # as in `add`
            self._record(Fault(source, error))
            return
        self.add(plugin, source)

    def _record(self, fault: Fault) -> None:
        self.faults.append(fault)
        log_traceback(fault.error)

    def _descriptions(self, plugin: object, source: Source, names: list[str]) -> list[tuple[Shelf[Any], Any]]:
        """The descriptions of a plugin with the shelves that they belong to; fills in their names, faulty or not."""
        self._manager.register(plugin, name=f"{source.distribution}:{source.entry_point}")
        self._manager.check_pending()
        others = [other for other in self._manager.get_plugins() if other is not plugin]
        kinds: list[tuple[str, Shelf[Any], type]] = [
            ("genaug_generators", self.generators, GeneratorDescription),
            ("genaug_metrics", self.metrics, MetricDescription),
            ("genaug_selectors", self.selectors, SelectorDescription),
        ]
        check_hooks(plugin, [hook for hook, _, _ in kinds], self._manager)
        found = []
        for hook, shelf, kind in kinds:
            for answer in self._manager.subset_hook_caller(hook, remove_plugins=others)():
                found += [(shelf, description, kind, hook) for description in answer]
        names += [str(getattr(description, "name", "")) for _, description, _, _ in found]
        return [(shelf, checked(description, kind, hook)) for shelf, description, kind, hook in found]


def load_registry() -> Registry:
    """Core's own plugins and all installed ones, or only those named in the environment variable GENAUG_PLUGINS.

    GENAUG_PLUGINS: names of entry points or distributions, separated by commas; empty for core's own plugins alone.
    Raises UsageError for a name that is not installed.
    """
    registry = Registry()
    for module in _CORE_PLUGINS:
        registry.add(importlib.import_module(module), Source("genaug", __version__, module))
    for entry_point in _wanted(entry_points(group=GROUP)):
        registry.load(entry_point)
    return registry


def import_factory(description: GeneratorDescription | MetricDescription | SelectorDescription) -> Any:
    """Import what a description names as its factory: a class, or for generators and selectors also a function.

    Raises PluginError if that fails, or if it is something else.
    """
    module, _, name = description.factory.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # the code of the plugin is imported here and may raise anything
        raise PluginError(
            f"{description.name!r} cannot be loaded from {description.factory}: {located(error, core=False)}"
        ) from error
    base = _base(description)
    function = callable(found) and not isinstance(found, type) and not isinstance(description, MetricDescription)
    if not function and not (isinstance(found, type) and issubclass(found, base)):
        raise PluginError(
            f"{description.name!r}: expected {description.factory} to be a subclass of {base.__module__}."
            f"{base.__name__}, got {shown(found)}"
        )
    return found


def _base(description: GeneratorDescription | MetricDescription | SelectorDescription) -> type:
    """What a factory must be a subclass of; imported here, since it loads torch, which the plugin has just done."""
    if isinstance(description, GeneratorDescription):
        return importlib.import_module("genaug.generator").Generator  # type: ignore[no-any-return]
    if isinstance(description, MetricDescription):
        return importlib.import_module("genaug.metric").Metric  # type: ignore[no-any-return]
    return importlib.import_module("genaug.selector").Selector  # type: ignore[no-any-return]


def make_generator(description: GeneratorDescription, spec: ImageSpec, config: GeneratorConfig) -> "AnyGenerator":
    """An untrained generator for images of this kind, with these settings; raises PluginError if that fails."""
    factory = import_factory(description)
    try:
        generator: AnyGenerator = factory(spec, config)
    except (GenaugError, KeyboardInterrupt):
        raise
    except BaseException as error:  # the code of the plugin may raise anything
        raise PluginError(f"{description.name!r} cannot be created: {located(error, core=False)}") from error
    return generator


def make_preset(description: GeneratorDescription, name: str, spec: ImageSpec, device: str) -> Preset:
    """A preset of a generator for images of this kind and a device such as "cpu".

    Raises UsageError for an unknown name, PluginError if the plugin's function fails or returns something else.
    """
    make = description.presets.get(name)
    if make is None:
        raise unknown(f"preset of {description.name}", name, description.presets)
    try:
        preset = make(spec, device)
    except (GenaugError, KeyboardInterrupt):
        raise
    except BaseException as error:  # the code of the plugin may raise anything
        raise PluginError(f"a preset of {description.name!r} fails: {located(error, core=False)}") from error
    if not isinstance(preset, Preset):
        raise PluginError(f"a preset of {description.name!r} must return a Preset, got {shown(preset)}")
    return preset


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
