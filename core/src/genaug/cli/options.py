"""The options of a run, declared once for all commands that take them, and the path from options to a job."""

import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genaug.cli import console
from genaug.config import laid_over, parse, read_file
from genaug.errors import UsageError, shown
from genaug.overrides import read_assignments
from genaug.run.config import RunConfig
from genaug.storage import real_path

if TYPE_CHECKING:
    from genaug.registry import Registry
    from genaug.run.job import Job

Data = Annotated[Path, typer.Argument(help="Folder of class folders, or of train/ and test/ folders of them.")]
Out = Annotated[
    Path | None, typer.Option("--out", "-o", help="Output folder; DATA-genaug beside the data if left out.")
]
Json = Annotated[bool, typer.Option("--json", help="Print machine-readable output.")]
Size = Annotated[
    str | None, typer.Option("--size", help="Size at which models work, in pixels: 64, or 64x96 (height x width).")
]
Resize = Annotated[
    str | None, typer.Option("--resize", help="How images are resized: auto, fit (pad), crop (centre) or stretch.")
]
TrainSize = Annotated[
    int | None,
    typer.Option(
        "--train-size",
        min=8,
        max=4096,
        help="Shorter side in pixels at which you will train; generated and real images are compared at this size.",
    ),
]
Classes = Annotated[str | None, typer.Option("--classes", help="Classes to use, separated by commas; all if left out.")]
Seed = Annotated[int | None, typer.Option("--seed", min=0, max=2**63 - 1, help="Random seed; 0 if left out.")]
Device = Annotated[str | None, typer.Option("--device", help="Where to compute: auto, cpu, cuda, cuda:N or mps.")]

# parameter -> its option: a key of RunConfig, or one of _BESIDE
_OPTIONS: dict[str, Any] = {
    "generator": Annotated[
        str | None,
        typer.Option(
            "--generator",
            "-g",
            help="Generator to train, or several with shares: NAME=0.3,OTHER=0.7 (see: genaug plugins).",
        ),
    ],
    "per_class": Annotated[int | None, typer.Option("--per-class", help="New images for every class.")],
    "balance": Annotated[
        str | None,
        typer.Option(
            "--balance", help="Fill every class up to max, median, a number of images, or a ratio of the largest class."
        ),
    ],
    "top_up": Annotated[
        str | None,
        typer.Option(
            "--top-up",
            help="First bring every class to the largest one: classical (variants), oversample (copies) or none; "
            "classical if no target is given.",
        ),
    ],
    "preset": Annotated[str | None, typer.Option("--preset", help="Named settings: auto, small or paper.")],
    "settings": Annotated[
        list[str] | None,
        typer.Option(
            "--set", "-s", help="Change a setting: key=value, or NAME:key=value (see: genaug plugins show NAME)."
        ),
    ],
    "config": Annotated[
        Path | None, typer.Option("--config", help="YAML file of settings; options given here override it.")
    ],
    "resolution": Annotated[
        str | None,
        typer.Option(
            "--resolution",
            help="Size of the written training images: real (that of your files), or pixels for all of them.",
        ),
    ],
    "train_size": TrainSize,
    "size": Size,
    "resize": Resize,
    "classes": Classes,
    "seed": Seed,
    "device": Device,
    "workers": Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            max=256,
            help="Models, classifiers or splits of a study that train in parallel; results do not depend on it.",
        ),
    ],
    "select": Annotated[
        str | None,
        typer.Option("--select", help="Selectors to apply, in order, separated by commas; none accepts every image."),
    ],
    "overdraw": Annotated[
        float | None, typer.Option("--overdraw", help="Most candidates drawn for each requested image.")
    ],
    "on_shortfall": Annotated[
        str | None,
        typer.Option(
            "--on-shortfall", help="If too few candidates are accepted: classical, oversample, leave or fail."
        ),
    ],
    "recipe": Annotated[
        str | None,
        typer.Option("--recipe", help="How real and synthetic images are combined: concatenate, cap=RATIO, weight=W."),
    ],
    "probe": Annotated[
        bool | None,
        typer.Option(
            "--probe", help="Let the label-safety probe decide which flips, rotations and hue shifts are allowed."
        ),
    ],
    "gate": Annotated[
        bool | None,
        typer.Option("--gate", help="Run a quick study first; draw synthetic images only if it recommends them."),
    ],
    "check": Annotated[
        bool | None,
        typer.Option(
            "--check/--no-check",
            help="Before the run ends, find out whether its images harm a classifier; checked if left out.",
        ),
    ],
    "budget": Annotated[
        str | None,
        typer.Option("--budget", help="Time for the whole run, such as 10m: trainings are shortened until it fits."),
    ],
    "reject": Annotated[
        Path | None, typer.Option("--reject", help="File of images to reject, as the report page saves it.")
    ],
    "format": Annotated[
        str | None,
        typer.Option("--format", help="How images are written: folder, webdataset (tar shards) or parquet."),
    ],
    "only_synthetic": Annotated[
        bool | None, typer.Option("--only-synthetic", help="Write only the synthetic images, none of your files.")
    ],
}
_BESIDE = ("settings", "config", "workers", "reject")


@dataclass(frozen=True)
class RunOptions:
    """The options of a run as they were given. values: by key of RunConfig; the others are no keys of it."""

    values: Mapping[str, Any]
    settings: list[str] | None = None
    config: Path | None = None
    workers: int | None = None
    reject: Path | None = None

    def run_config(self, registry: "Registry", **more: Any) -> RunConfig:
        """The keys of the file, overridden by the given options and by `more`; raises UsageError."""
        from genaug.run.job import settings_by_generator
        from genaug.targets.shares import parse_shares

        values = read_file(self.config) if self.config else {}
        options = _parsed({key: value for key, value in {**self.values, **more}.items() if value is not None})
        if {"per_class", "balance"} & options.keys():
            values = {key: value for key, value in values.items() if key not in ("per_class", "balance", "targets")}
        config = parse(RunConfig, values | options, "the settings")
        names = list(parse_shares(config.generator or registry.default_generator()))
        own = settings_by_generator(read_assignments(self.settings or []), names, registry)
        tables = {
            name: _over(config.generators.get(name, {}), own.get(name, {})) for name in {**config.generators, **own}
        }
        return config.model_copy(update={"generator": config.generator or names[0], "generators": tables})

    def job(self, data: Path) -> "Job":
        """The job of these options: names and keys are checked first, then the images are read."""
        from genaug.data.folder import load_folder
        from genaug.registry import load_registry
        from genaug.run.job import resolve
        from genaug.selection import read_manual_rejections

        rejections = {} if self.reject is None else read_manual_rejections(self.reject)
        registry = load_registry()
        config = self.run_config(registry)
        loaded = load_folder(data, classes=config.classes, size=config.size, resize=config.resize)
        console.show_notes(loaded)
        job = resolve(config, loaded, registry).without(rejections)
        for text in job.notes:
            console.note(text)
        return job


def with_run_options(*names: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Give a command the options of a run of these names, or all of them; it receives them as `options`.

    The command has a parameter `options: RunOptions`; the options take its place in the command's signature.
    """
    chosen = {name: _OPTIONS[name] for name in names} if names else _OPTIONS

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


def named(text: str, option: str) -> list[str]:
    """Names separated by commas; raises UsageError where there is none."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise UsageError(f"{option}: expected names separated by commas, got {shown(text)}")
    return names


def cores() -> int:
    """Processes that can work in parallel on this machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_out(data: Path) -> Path:
    """The folder DATA-genaug beside the data."""
    folder = real_path(data)
    return folder.with_name(f"{folder.name}-genaug")


def parse_size(text: str | None) -> tuple[int, int] | None:
    """`64` or `64x96` as (height, width); raises UsageError for anything else."""
    if text is None:
        return None
    numbers = text.lower().split("x")
    if len(numbers) > 2 or not all(number.isascii() and number.isdigit() for number in numbers):
        raise UsageError(f"size: expected pixels such as 64 or 64x96, got {shown(text)}")
    return int(numbers[0]), int(numbers[-1])


def _parameters(options: Mapping[str, Any]) -> list[inspect.Parameter]:
    kind = inspect.Parameter.KEYWORD_ONLY
    return [inspect.Parameter(name, kind, default=None, annotation=option) for name, option in options.items()]


def _parsed(options: dict[str, Any]) -> dict[str, Any]:
    """Options with the texts of sizes and lists as values."""
    parsed: dict[str, Any] = {key: named(options[key], f"--{key}") for key in ("classes", "select") if key in options}
    if "size" in options:
        parsed["size"] = parse_size(options["size"])
    return options | parsed


def _over(table: dict[str, Any], changes: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A generator's table with changes applied, section by section."""
    return table | {section: laid_over(table.get(section, {}), change) for section, change in changes.items() if change}
