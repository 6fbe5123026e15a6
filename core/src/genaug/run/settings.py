"""Finds the place of each setting in a run: its generator or its selector, and the section that has the key."""

from collections.abc import Mapping, Sequence
from typing import Any

from genaug.config import TrainConfig, laid_over, parse
from genaug.errors import UsageError, unknown
from genaug.mixing.recipe import parse_recipe
from genaug.overrides import assign
from genaug.registry import Registry
from genaug.run.config import RunConfig
from genaug.targets.shares import parse_shares

_TARGETS = {"per_class", "balance", "targets"}
SECTIONS = ("preset", "model", "train", "augmentation")


def run_config(values: Mapping[str, Any], settings: Mapping[str, Any], registry: Registry, where: str) -> RunConfig:
    """The config of a run from its keys, and its settings as `{key: value}` or `{NAME:key: value}`.

    The generator is settled, and the settings are in its table or in that of the selector. where: what the keys belong
    to, for messages. Raises UsageError.
    """
    config = _parsed(values, registry, where)
    names = list(parse_shares(config.generator or registry.default_generator()))
    selectors, others = _of_selectors(settings, names, config.select)
    own = settings_by_generator(others, names, registry)
    tables = {name: _over(config.generators.get(name, {}), own.get(name, {})) for name in {**config.generators, **own}}
    chosen = {name: {**config.selectors.get(name, {}), **selectors.get(name, {})} for name in selectors}
    return config.model_copy(
        update={
            "generator": config.generator or names[0],
            "generators": tables,
            "selectors": {**config.selectors, **chosen},
        }
    )


def laid_over_file(values: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a file with those given beside it over them, as far as they are not None; one target replaces all."""
    options = {key: value for key, value in given.items() if value is not None}
    kept = {key: value for key, value in values.items() if not (_TARGETS & options.keys() and key in _TARGETS)}
    return kept | options


def settings_by_generator(
    values: Mapping[str, Any], generators: Sequence[str], registry: Registry
) -> dict[str, dict[str, dict[str, Any]]]:
    """{key: value} to {generator: {section: {key: value}}}; with several generators a key is written `name:key`.

    Raises UsageError for an unknown generator or key, or where it is not clear which generator a key belongs to.
    """
    tables: dict[str, dict[str, Any]] = {}
    for path, value in values.items():
        name, colon, key = path.partition(":")
        if colon and name not in generators:
            raise unknown("generator or selector in settings", name, generators)
        if not colon and len(generators) > 1:
            raise UsageError(f"with several generators, write {generators[0]}:{path}, or another of them, got {path!r}")
        tables.setdefault(name if colon else generators[0], {})[key if colon else path] = value
    return {name: _assigned(name, table, registry) for name, table in tables.items()}


def changes_of(config: RunConfig, name: str, *, alone: bool) -> dict[str, Any]:
    """What the config says about one generator: its own table, over the top-level keys where it is the only one."""
    own = config.generators.get(name, {})
    top = {section: getattr(config, section) for section in SECTIONS[1:]} if alone else {}
    merged = {section: laid_over(top.get(section, {}), own.get(section, {})) for section in SECTIONS[1:]}
    return {"preset": own.get("preset", config.preset)} | merged


def check_sections(config: RunConfig, parts: Mapping[str, float]) -> None:
    """Raise UsageError for settings of an unknown generator, or where it is not clear whose settings they are."""
    for name, table in config.generators.items():
        if name not in parts:
            raise unknown("generator in generators", name, parts)
        for section in table:
            if section not in SECTIONS:
                raise unknown(f"key of generators.{name}", section, SECTIONS)
    given = [section for section in SECTIONS[1:] if getattr(config, section)]
    if given and len(parts) > 1:
        first = next(iter(parts))
        raise UsageError(
            f"with several generators, say whose settings these are: generators.{first}.{given[0]} in a file, "
            f"{first}:key=value on the command line, got {given[0]}"
        )


def known_request(config: RunConfig, registry: Registry) -> dict[str, Any]:
    """What the config alone says about `Job.request()`: its parts that need neither the images nor torch.

    Raises UsageError for an unknown generator, selector or recipe.
    """
    parts = parse_shares(config.generator or registry.default_generator())
    check_sections(config, parts)
    for name in parts:
        registry.generators.get(name)
    selectors = [name for name in config.select if name != "none"]
    named = [{"name": name, "settings": _selector_settings(config, name, registry)} for name in selectors]
    kept = ("probe", "gate", "budget", "format", "only_synthetic", "resolution")
    known = {key: getattr(config, key) for key in kept} | {
        "generators": [_known_of(config, name, alone=len(parts) == 1) for name in parts],
        "selection": {key: getattr(config, key) for key in ("overdraw", "on_shortfall")} | {"selectors": named},
        "recipe": parse_recipe(config.recipe).model_dump(mode="json"),
    }
    if config.budget is None:  # which may shorten the training of judges
        known["selection"]["judge_steps"] = config.judge_steps
    given = {
        "classes": None if config.classes is None else sorted(set(config.classes)),
        "size": None if config.size is None else list(config.size),
        "resize": None if config.resize == "auto" else config.resize,
    }
    return known | {key: value for key, value in given.items() if value is not None}


def _known_of(config: RunConfig, name: str, *, alone: bool) -> dict[str, Any]:
    """What the config alone says about one generator; a budget may shorten its training later."""
    changes = changes_of(config, name, alone=alone)
    sections = {section: changes[section] for section in SECTIONS[1:]}
    return {"generator": name, "seed": config.seed, **sections, **({"train": {}} if config.budget is not None else {})}


def _selector_settings(config: RunConfig, name: str, registry: Registry) -> dict[str, Any]:
    kind = registry.selectors.get(name).config
    return parse(kind, config.selectors.get(name, {}), f"the settings of {name}").model_dump(mode="json")


def _parsed(values: Mapping[str, Any], registry: Registry, where: str) -> RunConfig:
    """The keys of a run; a key that is a setting of its generator is not only unknown: the message says where it goes.

    Raises UsageError.
    """
    for key in values:
        if key not in RunConfig.model_fields and (section := _section_of(key, values.get("generator"), registry)):
            raise UsageError(
                f"{where}: {key!r} is a setting of {section}: write {section}: {{{key}: ...}} in a file, "
                f"-s {key}=... on the command line, or settings={{{key!r}: ...}} in Python"
            )
    return parse(RunConfig, values, where)


def _section_of(key: str, generator: Any, registry: Registry) -> str:
    """The section of a generator's settings that has this key; empty where there is none."""
    if key in TrainConfig.model_fields:
        return "train"
    names = registry.generators.names() if generator is None else [generator]
    known = [name for name in names if name in registry.generators.names()]
    return "model" if any(key in registry.generators.get(name).config.model_fields for name in known) else ""


def _assigned(name: str, table: Mapping[str, Any], registry: Registry) -> dict[str, dict[str, Any]]:
    """The settings of one generator by section; raises UsageError for a key that is none of them."""
    config = registry.generators.get(name).config
    for key in table:
        if key in RunConfig.model_fields and key not in {*config.model_fields, *TrainConfig.model_fields}:
            option = key.replace("_", "-")
            raise UsageError(
                f"{key!r} is no setting of {name} but a key of the run: write {key}: ... in a file, "
                f"--{option} on the command line, or {key}=... in Python"
            )
    return assign(config, table)


def _of_selectors(
    values: Mapping[str, Any], generators: Sequence[str], selectors: Sequence[str]
) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """The settings of selectors by name, and all others."""
    found: dict[str, dict[str, Any]] = {}
    others = {}
    for path, value in values.items():
        name, colon, key = path.partition(":")
        if colon and name in selectors and name not in generators:
            found.setdefault(name, {})[key] = value
        else:
            others[path] = value
    return found, others


def _over(table: dict[str, Any], changes: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A generator's table with changes applied, section by section."""
    return table | {section: laid_over(table.get(section, {}), change) for section, change in changes.items() if change}
