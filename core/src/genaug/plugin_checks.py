"""What the module of a plugin and its descriptions must be like; anything else is refused when it is loaded."""

import re
from collections.abc import Sequence
from typing import Any

import pluggy

from genaug.config import GeneratorConfig, MetricConfig, SelectorConfig
from genaug.errors import shown
from genaug.hookspecs import (
    API_VERSION,
    PRECISIONS,
    GeneratorDescription,
    MetricDescription,
    SelectorDescription,
)
from genaug.spec import LARGEST_SIDE, SIDE_STEP, SMALLEST_SIDE, check_side

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")  # it becomes part of file names
_CONFIGS: dict[type, type] = {
    GeneratorDescription: GeneratorConfig,
    MetricDescription: MetricConfig,
    SelectorDescription: SelectorConfig,
}


def check_hooks(plugin: object, hooks: Sequence[str], manager: pluggy.PluginManager) -> None:
    """Raise TypeError for a plugin without hooks, and for a hook that lacks its decorator."""
    bare = [hook for hook in hooks if hasattr(plugin, hook) and manager.parse_hookimpl_opts(plugin, hook) is None]
    if bare:
        raise TypeError(f"{bare[0]} lacks the decorator @hookimpl of genaug.hookspecs")
    if not manager.get_hookcallers(plugin):
        raise TypeError(f"it has none of the hooks {', '.join(hooks)}")


def checked(description: Any, kind: type[Any], hook: str) -> Any:
    """The description itself; raises TypeError or ValueError for one that cannot be used."""
    if not isinstance(description, kind):
        raise TypeError(f"{hook} must return {kind.__name__} objects, got {type(description).__name__}")
    if not isinstance(description.name, str) or not _NAME.fullmatch(description.name):
        raise ValueError(f"the name {shown(description.name)} must consist of letters, digits, - and _")
    if not (isinstance(description.config, type) and issubclass(description.config, _CONFIGS[kind])):
        raise TypeError(f"the config of {description.name!r} must be a subclass of {_CONFIGS[kind].__name__}")
    if not isinstance(description.factory, str):
        raise TypeError(f"the factory of {description.name!r} must be text, got {shown(description.factory)}")
    if isinstance(description, GeneratorDescription):
        _check_precisions(description)
        _check_sizes(description)
    if description.api != API_VERSION:
        newer = isinstance(description.api, int) and description.api > API_VERSION
        raise ValueError(
            f"{description.name!r} was written for API version {shown(description.api)}, and this genaug has version "
            f"{API_VERSION}; update {'genaug' if newer else 'the plugin'}"
        )
    return description


def _check_sizes(description: GeneratorDescription) -> None:
    needs, name = description.needs, description.name
    least, most = needs.sizes
    if not (SMALLEST_SIDE <= least <= most <= LARGEST_SIDE and needs.multiple > 0 and needs.multiple % SIDE_STEP == 0):
        raise ValueError(
            f"the sizes of {name!r} must be a range in [{SMALLEST_SIDE}, {LARGEST_SIDE}] and a multiple of {SIDE_STEP}"
            f", got sizes {shown(needs.sizes)} and multiple {shown(needs.multiple)}"
        )
    if -(-least // needs.multiple) * needs.multiple > most:
        raise ValueError(f"{name!r} allows no size: no multiple of {needs.multiple} lies in [{least}, {most}]")
    for side in needs.native or ():
        check_side(side)


def _check_precisions(description: GeneratorDescription) -> None:
    given = description.needs.precisions
    if "no" not in given or not set(given) <= set(PRECISIONS):
        raise ValueError(
            f"the precisions of {description.name!r} must be 'no' and others of {', '.join(PRECISIONS)}, "
            f"got {shown(given)}"
        )
