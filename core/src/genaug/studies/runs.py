"""The runs that a study compares: from the keys of a run and the names of generators to a question."""

from collections.abc import Mapping, Sequence
from typing import Any

from genaug.config import changed, parse
from genaug.errors import UsageError, unknown
from genaug.registry import Registry
from genaug.run.config import RunConfig
from genaug.run.settings import run_config
from genaug.studies.settings import StudyConfig
from genaug.targets.shares import parse_shares

# decided by the arms of a study, so these are the same in all runs that draw its images
_DECIDED_BY_ARMS = {"recipe": "concatenate", "gate": False, "check": False, "format": "folder", "only_synthetic": False}


def study_runs(
    generators: Sequence[str],
    values: Mapping[str, Any],
    settings: Mapping[str, Any],
    study: Mapping[str, Any],
    registry: Registry,
) -> tuple[dict[str, RunConfig], StudyConfig]:
    """The run of each generator, or of each mixture if shares are given, by its name; and the settings of the study.

    generators: names, or several in one text with commas between them; the default one where there is none. values:
    keys of a run. settings: as `--set` gives them. study: keys of StudyConfig. Raises UsageError.
    """
    config = parse(StudyConfig, study, "the study")
    more = {"per_class": max(config.counts)} if config.counts else {}
    runs = _runs(generators or [registry.default_generator()], {**values, **more}, settings, registry)
    if "recipes" not in study:
        config = changed(config, {"recipes": (next(iter(runs.values())).recipe,)}, "the study")
    return {name: run.model_copy(update=_DECIDED_BY_ARMS | _shortfall(run)) for name, run in runs.items()}, config


def _runs(
    generators: Sequence[str], values: Mapping[str, Any], settings: Mapping[str, Any], registry: Registry
) -> dict[str, RunConfig]:
    chosen = [name for text in generators for name in _names(text)]
    if not chosen:
        raise UsageError(
            "generator: expected a name, or several separated by commas, got nothing (see: genaug plugins)"
        )
    owners = {name: set(parse_shares(name)) for name in chosen}
    selectors = set(registry.selectors.names())
    _check_owners(settings, chosen, selectors.union(*owners.values()))
    runs = {}
    for name in chosen:
        own = {key: value for key, value in settings.items() if _belongs(key, owners[name] | selectors)}
        run = run_config({**values, "generator": name}, own, registry, "the settings")
        tables = {owner: table for owner, table in run.generators.items() if owner in owners[name]}
        runs[name] = run.model_copy(update={"generators": tables})
    return runs


def _check_owners(settings: Mapping[str, Any], chosen: Sequence[str], known: set[str]) -> None:
    for key in settings:
        prefix, colon, _ = key.partition(":")
        if colon and prefix not in known:
            raise unknown("generator or selector in settings", prefix, known)
        if not colon and len(chosen) > 1:
            raise UsageError(
                f"with several generators, name the generator of a setting: write {chosen[0]}:{key}=..., got {key!r}"
            )


def _shortfall(run: RunConfig) -> dict[str, str]:
    """Leave rejected images missing: variants of real images in their place would count as synthetic."""
    return {} if run.on_shortfall == "fail" else {"on_shortfall": "leave"}


def _names(text: str) -> list[str]:
    return [text.strip()] if "=" in text else [name.strip() for name in text.split(",") if name.strip()]


def _belongs(key: str, owners: set[str]) -> bool:
    prefix, colon, _ = key.partition(":")
    return not colon or prefix in owners
