"""The options of a run, declared once for all commands that take them, and the path from options to a job."""

import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genaug.cli import console
from genaug.cli.declared import OPTIONS, Classes, Data, Device, Json, Out, Resize, Seed, Size, TrainSize, valid_seed
from genaug.errors import UsageError, shown
from genaug.overrides import names, read_assignments, size
from genaug.run.config import RunConfig, read_settings
from genaug.run.settings import known_request, laid_over_file, run_config
from genaug.storage import real_path

if TYPE_CHECKING:
    from genaug.registry import Registry
    from genaug.run.job import Job

__all__ = [
    "Classes",
    "Data",
    "Device",
    "Json",
    "Out",
    "Resize",
    "RunOptions",
    "Seed",
    "Size",
    "TrainSize",
    "cores",
    "default_out",
    "named",
    "parse_size",
    "valid_seed",
    "with_run_options",
]

_BESIDE = ("settings", "config", "workers", "reject")


@dataclass(frozen=True)
class RunOptions:
    """The options of a run as they were given. values: by key of RunConfig; the others are no keys of it."""

    values: Mapping[str, Any]
    settings: list[str] | None = None
    config: Path | None = None
    workers: int | None = None
    reject: Path | None = None

    def keys(self, **more: Any) -> dict[str, Any]:
        """The keys of the file, overridden by the given options and by what is given of `more`; raises UsageError."""
        values = read_settings(self.config) if self.config else {}
        known = {key: value for key, value in more.items() if value is not None}
        return laid_over_file(values, {**self.values, **known})

    def run_config(self, registry: "Registry", **more: Any) -> RunConfig:
        """The config of the keys and settings; raises UsageError."""
        return run_config(self.keys(**more), read_assignments(self.settings or []), registry, "the settings")

    def job(self, data: Path, out: Path | None = None, *, overwrite: bool = False) -> "Job":
        """The job of these options: names, keys and the output are checked first, then the images are read.

        out: where the job will be written. overwrite: whether the output of other settings may be there.
        """
        from genaug.registry import load_registry

        registry = load_registry()
        config = self.run_config(registry)
        if out is not None:
            _check_output(out, data, {} if overwrite else known_request(config, registry))
        return self._loaded_job(config, data, registry)

    def _loaded_job(self, config: RunConfig, data: Path, registry: "Registry") -> "Job":
        """The same, after the checks that need no torch."""
        from genaug.data.folder import load_folder
        from genaug.run.job import resolve
        from genaug.selection import read_manual_rejections

        rejections = {} if self.reject is None else read_manual_rejections(self.reject)
        loaded = load_folder(data, classes=config.classes, size=config.size, resize=config.resize)
        loaded = loaded.grouped(config.groups)
        console.show_notes(loaded)
        job = resolve(config, loaded, registry).without(rejections)
        for text in job.notes:
            console.note(text)
        return job


def with_run_options(*names: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Give a command the options of a run of these names, or all of them; it receives them as `options`.

    The command has a parameter `options: RunOptions`; the options take its place in the command's signature.
    """
    chosen = {name: OPTIONS[name] for name in names} if names else OPTIONS

    def decorate(function: Callable[..., int]) -> Callable[..., int]:
        def command(**given: Any) -> int:
            found = {name: given.pop(name) for name in chosen}
            beside = {name: found.pop(name) for name in _BESIDE if name in found}
            return function(**given, options=RunOptions(found, **beside))

        parameters = []
        for parameter in inspect.signature(function).parameters.values():
            parameters += _parameters(chosen) if parameter.name == "options" else [parameter]
        keyword_only = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters]
        command.__name__, command.__doc__ = function.__name__, function.__doc__
        command.__module__ = function.__module__
        command.__signature__ = inspect.Signature(keyword_only, return_annotation=int)  # type: ignore[attr-defined]
        command.__annotations__ = {one.name: one.annotation for one in parameters} | {"return": int}
        return command

    return decorate


def _check_output(out: Path, data: Path, known: Mapping[str, Any]) -> None:
    """Raise OutputError at once where OUT cannot be used; `check` of the pipeline finds the rest."""
    from genaug.output.folder import OutputFolder

    output = OutputFolder(out)
    output.check_place(data)
    output.check_settings(known)


def named(text: str, option: str) -> list[str]:
    """Names separated by commas; raises UsageError where there is none."""
    try:
        return list(names(text))
    except ValueError as error:
        raise UsageError(f"{option}: {error}, got {shown(text)}") from error


def cores() -> int:
    """Processes that can work in parallel on this machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_out(data: Path) -> Path:
    """The folder DATA-genaug beside the data."""
    folder = real_path(data)
    return folder.with_name(f"{folder.name}-genaug")


def parse_size(text: str | None) -> tuple[int, int] | None:
    """`64` or `64x96` as (height, width); raises UsageError for anything else."""
    try:
        return None if text is None else size(text)
    except ValueError as error:
        raise UsageError(f"size: {error}, got {shown(text)}") from error


def _parameters(options: Mapping[str, Any]) -> list[inspect.Parameter]:
    kind = inspect.Parameter.KEYWORD_ONLY
    return [inspect.Parameter(name, kind, default=None, annotation=option) for name, option in options.items()]
