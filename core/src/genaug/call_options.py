"""Turns the options of a call into the keys of a run, a config or a job. Importing it does not import torch."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genaug.errors import UsageError

if TYPE_CHECKING:
    from genaug.data.folder import LoadedFolder
    from genaug.registry import Registry
    from genaug.run.config import RunConfig
    from genaug.run.job import Job
    from genaug.studies.question import Question


def make_job(data: Any, generator: str | None, options: dict[str, Any], where: str) -> "Job":
    """The job of these options: names and keys are checked first, then the images are read."""
    from genaug.data.input_types import load_any
    from genaug.registry import load_registry
    from genaug.run.job import resolve
    from genaug.selection import read_manual_rejections

    registry = load_registry()
    options.pop("workers", None)
    strategy, reject = options.pop("sampling_strategy", None), options.pop("reject", None)
    config = _run_config({**options, "generator": generator}, registry, where)
    _refuse_two_targets(config, strategy)
    rejections = {} if reject is None else read_manual_rejections(Path(reject))
    loaded = load_any(data, config.classes, config.size, config.resize).grouped(config.groups)
    if strategy is not None:
        config = _with_targets(config, loaded, strategy, where)
    return resolve(config, loaded, registry).without(rejections)


def make_question(
    data: Any, generators: Sequence[str], options: dict[str, Any], chosen: Mapping[str, Any], weights: str | Path | None
) -> "Question":
    """The question of a study: keys are checked first, then the images are read. chosen: keys of StudyConfig."""
    from genaug.data.input_types import load_any
    from genaug.registry import load_registry
    from genaug.studies.question import Question
    from genaug.studies.runs import study_runs

    settings = options.pop("settings", None) or {}
    known = {key: value for key, value in chosen.items() if value is not None}
    most = {"per_class": max(known["counts"])} if known["counts"] else {}
    runs, config = study_runs(generators, run_keys(options, **most), settings, known, load_registry())
    first = next(iter(runs.values()))
    loaded = load_any(data, first.classes, first.size, first.resize).grouped(first.groups)
    return Question(loaded, runs, config, None if weights is None else Path(weights))


def _run_config(options: dict[str, Any], registry: "Registry", where: str) -> "RunConfig":
    from genaug.run.settings import run_config

    settings = options.pop("settings", None) or {}
    return run_config(run_keys(options), settings, registry, where)


def run_keys(options: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The keys of the config file, overridden by the given options; an empty select, or None, becomes none."""
    from genaug.run.config import read_settings
    from genaug.run.settings import laid_over_file

    file = options.pop("config", None)
    if "select" in options and not options["select"]:
        options["select"] = "none"
    return laid_over_file({} if file is None else read_settings(Path(file)), {**options, **more})


def checked_keys(kind: type["RunConfig"], values: dict[str, Any], where: str) -> "RunConfig":
    """A config of these keys, as far as they are not None; raises UsageError."""
    from genaug.config import parse

    return parse(kind, {key: value for key, value in values.items() if value is not None}, where)


def listed(names: Sequence[str] | str | None) -> list[str] | None:
    """One name or several as a list; None for None."""
    return None if names is None else [names] if isinstance(names, str) else list(names)


def in_seconds(budget: int | str | None) -> int | None:
    """A time as seconds, or as a text such as 30m; raises UsageError."""
    from genaug.overrides import duration

    try:
        return duration(budget) if isinstance(budget, str) else budget
    except ValueError as error:
        raise UsageError(f"budget: {error}, got {budget!r}") from error


def _refuse_two_targets(config: "RunConfig", sampling_strategy: Any) -> None:
    given = [name for name in ("per_class", "balance", "targets") if getattr(config, name) is not None]
    if sampling_strategy is not None and given:
        raise UsageError(
            f"expected one of per_class, balance, targets, sampling_strategy, got {given[0]} and sampling_strategy"
        )


def _with_targets(config: "RunConfig", loaded: "LoadedFolder", strategy: Any, where: str) -> "RunConfig":
    """The config with the targets of an imbalanced-learn strategy, whose tables may give classes as numbers."""
    from genaug.config import changed
    from genaug.data.labels import class_name
    from genaug.targets.sampling_strategy import sampling_strategy_counts

    if isinstance(strategy, Mapping):
        strategy = {class_name(label, "sampling_strategy"): total for label, total in strategy.items()}
    counts = dict(zip(loaded.spec.classes, loaded.spec.counts, strict=True))
    return changed(config, {"targets": sampling_strategy_counts(counts, strategy)}, where)
