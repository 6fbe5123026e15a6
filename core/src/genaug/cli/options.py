"""The options that several commands share, and the one function that turns them into a RunConfig."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genaug.assignment import read_assignments
from genaug.cli import console
from genaug.config import RunConfig, laid_over, parse, read_file
from genaug.errors import UsageError

if TYPE_CHECKING:
    from genaug.job import Job
    from genaug.registry import Registry

Data = Annotated[Path, typer.Argument(help="Folder of class folders, or of train/ and test/ folders of them.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Output folder; the sibling DATA-genaug if left out.")]
GeneratorName = Annotated[
    str | None,
    typer.Option("--generator", "-g", help="Generator to train, or several: NAME=0.3,OTHER=0.7 (see: genaug plugins)."),
]
PerClass = Annotated[int | None, typer.Option("--per-class", help="New images for every class.")]
Balance = Annotated[
    str | None, typer.Option("--balance", help="Fill classes up to max, median, a number, or a ratio of the largest.")
]
PresetName = Annotated[str | None, typer.Option("--preset", help="Settings by name: auto, small, paper.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", help="Change a setting: key=value, or NAME:key=value (see: genaug plugins show NAME)."),
]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="YAML file of settings; options come over it.")]
Size = Annotated[str | None, typer.Option("--size", help="Model size in pixels, 64 or 64x96 (height x width).")]
Resize = Annotated[str | None, typer.Option("--resize", help="auto, fit (pad), crop (centre) or stretch.")]
Classes = Annotated[str | None, typer.Option("--classes", help="Classes to use, separated by commas.")]
Seed = Annotated[int | None, typer.Option("--seed", min=0, max=2**63 - 1, help="Seed of the run; 0 if left out.")]
Device = Annotated[str | None, typer.Option("--device", help="auto, cpu, cuda, cuda:N or mps.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, max=256, help="Fits at once; never changes a byte.")]
Select = Annotated[
    str | None, typer.Option("--select", help="Selectors in order, separated by commas; none keeps all that is drawn.")
]
Overdraw = Annotated[float | None, typer.Option("--overdraw", help="Most candidates drawn for each wanted image.")]
Shortfall = Annotated[
    str | None, typer.Option("--on-shortfall", help="When too few are kept: classical, oversample, leave or fail.")
]
Recipe = Annotated[
    str | None, typer.Option("--recipe", help="How synthetic meets real: concatenate, cap=RATIO, weight=W.")
]
Probed = Annotated[
    bool | None, typer.Option("--probe", help="Let a probe decide which flips, turns and hues keep the labels.")
]
Gate = Annotated[
    bool | None, typer.Option("--gate", help="Ask a quick study first; no synthetic images unless it recommends them.")
]
Reject = Annotated[
    Path | None, typer.Option("--reject", help="List of images not to use, as the report page gives it.")
]
Format = Annotated[
    str | None, typer.Option("--format", help="How images are written: folder, webdataset (tar shards) or parquet.")
]
OnlySynthetic = Annotated[
    bool | None, typer.Option("--only-synthetic", help="Write the synthetic images alone, no file of yours.")
]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


def named(text: str, option: str) -> list[str]:
    """Names separated by commas; raises UsageError where there is none."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise UsageError(f"{option}: expected names separated by commas, got {text!r}")
    return names


def run_config(config: Path | None, registry: "Registry", settings: list[str] | None, **given: Any) -> RunConfig:
    """The file's keys with the given options over them; raises UsageError before any image is read."""
    from genaug.job import own_settings
    from genaug.mixing.shares import parse_shares

    values = read_file(config) if config else {}
    options = {key: value for key, value in given.items() if value is not None}
    if {"per_class", "balance"} & options.keys():
        values = {key: value for key, value in values.items() if key not in ("per_class", "balance", "targets")}
    if "size" in options:
        options["size"] = sides(options["size"])
    if "classes" in options:
        options["classes"] = named(options["classes"], "--classes")
    if "select" in options:
        options["select"] = named(options["select"], "--select")
    made = parse(RunConfig, values | options, "the settings")
    names = list(parse_shares(made.generator or registry.default_generator()))
    own = own_settings(read_assignments(settings or []), names, registry)
    tables = {name: _over(made.generators.get(name, {}), own.get(name, {})) for name in {**made.generators, **own}}
    return made.model_copy(update={"generator": made.generator or names[0], "generators": tables})


def _over(table: dict[str, Any], changes: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A generator's table with changes over it, section by section."""
    return table | {section: laid_over(table.get(section, {}), change) for section, change in changes.items() if change}


def prepare(data: Path, config: Path | None, settings: list[str] | None, **given: Any) -> "Job":
    """Everything before the work: names and keys are checked first, then the images are read, then all is resolved."""
    from genaug.data.folder import load_folder
    from genaug.job import resolve
    from genaug.registry import load_registry

    registry = load_registry()
    wishes = run_config(config, registry, settings, **given)
    loaded = load_folder(data, classes=wishes.classes, size=wishes.size, resize=wishes.resize)
    console.show_notes(loaded)
    return resolve(wishes, loaded, registry)


def cores() -> int:
    """Processes that can work at once on this machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_out(data: Path) -> Path:
    """The sibling DATA-genaug."""
    folder = data.resolve()
    return folder.with_name(f"{folder.name}-genaug")


def sides(text: str | None) -> tuple[int, int] | None:
    """`64` or `64x96` as (height, width); raises UsageError for anything else."""
    if text is None:
        return None
    numbers = text.lower().split("x")
    if len(numbers) > 2 or not all(number.isascii() and number.isdigit() for number in numbers):
        raise UsageError(f"size: expected pixels such as 64 or 64x96, got {text!r}")
    return int(numbers[0]), int(numbers[-1])
