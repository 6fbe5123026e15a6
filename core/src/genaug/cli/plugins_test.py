"""genaug plugins test: check what an installed plugin promises."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

import typer

from genaug.cli import console
from genaug.cli.options import Json
from genaug.errors import PluginError, UsageError, unknown
from genaug.overrides import read_assignments
from genaug.registry import Registry, Shelf, load_registry

_PRESET, _HARM = "small", "noise"
_HARMS = ("noise", "copies", "repeats")


def check(
    name: Annotated[str, typer.Argument(help="Name of an installed generator, metric or selector.")],
    kind: Annotated[
        str | None, typer.Option("--kind", help="Test only the generator, metric or selector of this name.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option("--preset", help="Preset of a generator; small if left out, or auto without one.")
    ] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", "-s", help="Setting under test: key=value; give a generator a tiny network."),
    ] = None,
    harm: Annotated[
        str, typer.Option("--harm", help="What a metric is meant to find: noise, copies or repeats.")
    ] = _HARM,
    as_json: Json = False,
) -> None:
    """Check every promise that a plugin makes; exit code 5 if one is broken."""
    if not __debug__:
        raise UsageError("the checks of plugins need assertions; run Python without -O and PYTHONOPTIMIZE")
    if harm not in _HARMS:
        raise unknown("harm", harm, _HARMS)
    registry, answers, broken = load_registry(), dict[str, list[dict[str, str]]](), list[str]()
    settings = read_assignments(assignments or [])
    for found, contract in _contracts(_kinds(registry, name, kind), name, preset, settings, harm):
        answers[found] = _answers(f"the {found} {name}", contract, quiet=as_json)
        count = sum(bool(one["fault"]) for one in answers[found])
        broken += [f"the {found} {name!r} breaks {count} of {len(answers[found])} promises"] if count else []
    if as_json:
        console.answer_json(answers)
    if broken:
        raise PluginError("; ".join(broken))


def _kinds(registry: Registry, name: str, kind: str | None) -> list[str]:
    """What the name stands for, restricted to one kind if that is given; raises UsageError if it is unknown."""
    shelves: dict[str, Shelf[Any]] = {
        "generator": registry.generators,
        "metric": registry.metrics,
        "selector": registry.selectors,
    }
    if kind is not None:
        if kind not in shelves:
            raise unknown("kind", kind, shelves)
        shelves[kind].get(name)
        return [kind]
    found = [one for one, shelf in shelves.items() if name in shelf.names()]
    if not found:
        raise unknown("plugin", name, [known for shelf in shelves.values() for known in shelf.names()])
    return found


def _contracts(
    kinds: list[str], name: str, preset: str | None, settings: dict[str, Any], harm: str
) -> Iterator[tuple[str, object]]:
    from genaug.testing.promises import generator_contract, metric_contract, selector_contract

    for kind in kinds:
        if kind == "generator":
            presets = load_registry().generators.get(name).presets
            if preset is not None and preset not in presets:
                raise unknown(f"preset of {name}", preset, presets)
            yield kind, generator_contract(name, preset or _PRESET, settings)
        elif kind == "metric":
            yield kind, metric_contract(name, harm, settings)
        else:
            yield kind, selector_contract(name, settings)


def _answers(title: str, contract: object, *, quiet: bool) -> list[dict[str, str]]:
    """Check all promises of a contract, and print each as soon as it is checked unless `quiet`."""
    from genaug.testing.promises import checked

    answers = []
    if not quiet:
        console.say(f"{title}:")
    for one in checked(contract):
        answers.append(asdict(one))
        if not quiet:
            console.say(f"  BROKEN  {one.promise}: {one.fault}" if one.fault else f"  kept    {one.promise}")
    if not quiet:
        console.say(f"{sum(not one['fault'] for one in answers)} of {len(answers)} promises kept")
    return answers
