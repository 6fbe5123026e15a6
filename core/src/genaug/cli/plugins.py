"""genaug plugins: what is installed, its settings, and what cannot be used; with `new` and `test`, for authors."""

from typing import Annotated, Any

import typer

from genaug.cli import console
from genaug.cli.options import Json
from genaug.cli.plugins_new import new
from genaug.cli.plugins_test import check
from genaug.config import AugmentationConfig, Closed, TrainConfig
from genaug.errors import unknown
from genaug.hookspecs import GeneratorDescription, MetricDescription, SelectorDescription
from genaug.registry import Registry, Source, load_registry

plugins = typer.Typer(
    help="List the installed generators, metrics and selectors; show or test one, or write a new one.",
    rich_markup_mode=None,
    add_completion=False,
)
plugins.command("new")(new)
plugins.command("test")(check)


@plugins.callback(invoke_without_command=True)
def listing(context: typer.Context, as_json: Json = False) -> None:
    """List the installed generators, metrics and selectors, and every plugin that could not be used."""
    if context.invoked_subcommand is not None:
        return
    registry = load_registry()
    if as_json:
        console.answer_json(_as_json(registry))
        return
    ranked = sorted((registry.generators.get(name) for name in registry.generators.names()), key=lambda d: d.rank)
    rows = [
        (
            one.name,
            "one for all classes" if one.conditioning == "class" else "one per class",
            one.summary,
            registry.generators.source(one.name).distribution,
        )
        for one in ranked
    ]
    console.table("generators", ("name", "models", "summary", "from"), rows)
    for kind, shelf in (("metrics", registry.metrics), ("selectors", registry.selectors)):
        others = [(name, shelf.get(name).summary, shelf.source(name).distribution) for name in shelf.names()]
        if others:
            console.table(kind, ("name", "summary", "from"), others)
    for sentence in _problems(registry):
        console.note(sentence)


@plugins.command()
def show(
    name: Annotated[str, typer.Argument(help="Name of a generator, metric or selector.")], as_json: Json = False
) -> None:
    """Show a plugin's settings with their bounds, units and meaning; of a generator also its presets."""
    registry = load_registry()
    if name in registry.generators.names():
        _show_generator(registry.generators.get(name), registry.generators.source(name), as_json)
        return
    others = (("metric", registry.metrics), ("selector", registry.selectors))
    found = [(kind, shelf.get(name), shelf.source(name)) for kind, shelf in others if name in shelf.names()]
    if not found:
        shelves = (registry.generators, registry.metrics, registry.selectors)
        raise unknown("plugin", name, [known for shelf in shelves for known in shelf.names()])
    if as_json:
        console.answer_json({kind: _facts(description, source) for kind, description, source in found})
        return
    for kind, description, source in found:
        _show_other(kind, description, source)


def _show_generator(description: GeneratorDescription, source: Source, as_json: bool) -> None:
    sections: dict[str, type[Closed]] = {
        "model": description.config,
        "train": TrainConfig,
        "augmentation": AugmentationConfig,
    }
    if as_json:
        schemas = {section: settings.model_json_schema() for section, settings in sections.items()}
        console.answer_json(_described(description) | {"from": _from(source), **schemas})
        return
    _head(description, source)
    console.say(f"needs at least {description.needs.least_images} image(s) in each class")
    console.say(f"presets: {', '.join(description.presets)}")
    for section, settings in sections.items():
        console.table(section, ("key", "default", "bounds", "unit", "meaning"), _rows(f"{section}.", settings))


def _facts(description: MetricDescription | SelectorDescription, source: Source) -> dict[str, Any]:
    facts = {"name": description.name, "summary": description.summary, "paper": description.paper}
    return facts | {"from": _from(source), "settings": description.config.model_json_schema()}


def _show_other(kind: str, description: MetricDescription | SelectorDescription, source: Source) -> None:
    console.say(f"{kind}:")
    _head(description, source)
    if description.config.model_fields:
        console.table("", ("key", "default", "bounds", "unit", "meaning"), _rows("", description.config))
    else:
        console.say(f"this {kind} has no settings")


def _head(description: GeneratorDescription | MetricDescription | SelectorDescription, source: Source) -> None:
    console.say(f"{description.name}: {description.summary}")
    console.say(f"from {_from(source)}")
    console.say(f"paper: {description.paper or 'none'}")


def _from(source: Source) -> str:
    return f"{source.distribution} {source.version}"


def _rows(prefix: str, settings: type[Closed]) -> list[tuple[str, ...]]:
    properties: dict[str, Any] = settings.model_json_schema().get("properties", {})
    return [
        (f"{prefix}{key}", str(field.get("default", "")), bounds(field), field.get("unit", ""), field["description"])
        for key, field in properties.items()
    ]


def bounds(field: dict[str, Any]) -> str:
    """The bounds of a JSON schema field as an interval, or its choices."""
    for part in [field, *field.get("anyOf", [])]:
        if "enum" in part:
            return " | ".join(map(str, part["enum"]))
        low = part.get("minimum", part.get("exclusiveMinimum"))
        if low is not None:
            high = part.get("maximum", part.get("exclusiveMaximum", "..."))
            return f"{'[' if 'minimum' in part else '('}{low}, {high}{']' if 'maximum' in part else ')'}"
    return ""


def _problems(registry: Registry) -> list[str]:
    broken = [f"{fault.source.distribution} cannot be used: {fault.reason}" for fault in registry.faults]
    return broken + [
        clash for shelf in (registry.generators, registry.metrics, registry.selectors) for clash in shelf.clashes()
    ]


def _described(description: GeneratorDescription) -> dict[str, Any]:
    return {
        "name": description.name,
        "summary": description.summary,
        "rank": description.rank,
        "conditioning": description.conditioning,
        "presets": sorted(description.presets),
        "least_images": description.needs.least_images,
        "channels": list(description.needs.channels),
        "paper": description.paper,
    }


def _as_json(registry: Registry) -> dict[str, Any]:
    return {
        "generators": [_described(registry.generators.get(name)) for name in registry.generators.names()],
        "metrics": registry.metrics.names(),
        "selectors": registry.selectors.names(),
        "problems": _problems(registry),
    }
