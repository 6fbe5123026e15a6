"""The options that several commands share, each declared once."""

from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import typer

from genaug.cli.left_out import refuse_strange_folder
from genaug.errors import UsageError
from genaug.run.config import RunConfig

_MOST_SEED = 2**63 - 1


def valid_seed(seed: int | None) -> int | None:
    """Bounds that would be no help in a help text."""
    if seed is not None and not 0 <= seed <= _MOST_SEED:
        raise UsageError(f"seed: expected a whole number from 0 to {_MOST_SEED}, got {seed}")
    return seed


Data = Annotated[
    Path,
    typer.Argument(
        metavar="DATA",
        help="Folder of class folders, or of train/ and test/ folders of them; the current folder if left out.",
        show_default=False,
        callback=refuse_strange_folder,
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FOLDER", help="Output folder; DATA-genaug beside the data if left out."),
]
Json = Annotated[bool, typer.Option("--json", help="Print machine-readable output.")]
Size = Annotated[
    str | None,
    typer.Option(
        "--size",
        metavar="PIXELS",
        help="Size at which models work: 64, or 64x96 (height x width); multiples of 8 from 16 to 256. "
        "[default: nearest to your images, at most 64]",
    ),
]
Resize = Annotated[
    str | None,
    typer.Option(
        "--resize",
        metavar="[auto|fit|crop|stretch]",
        help="How images are resized to it: fit pads, crop keeps the centre. [default: auto]",
    ),
]
TrainSize = Annotated[
    int | None,
    typer.Option(
        "--train-size",
        metavar="PIXELS",
        min=8,
        max=4096,
        help="Shorter side in pixels at which you will train; generated and real images are compared at this size. "
        "[default: that of your images]",
    ),
]
Classes = Annotated[
    str | None,
    typer.Option("--classes", metavar="NAMES", help="Classes to use, separated by commas; all if left out."),
]
Seed = Annotated[int | None, typer.Option("--seed", metavar="N", callback=valid_seed, help="Random seed. [default: 0]")]
Device = Annotated[
    str | None,
    typer.Option(
        "--device", metavar="DEVICE", help="Where to compute: auto, cpu, cuda, cuda:N or mps. [default: auto]"
    ),
]


def _key(key: str, *names: str, metavar: str = "", default: str = "", text: str) -> Any:
    """The option of a key of RunConfig: its choices are those of the key, and its help ends with the default.

    default: what a default of None means.
    """
    field = RunConfig.model_fields[key]
    kinds = [kind for kind in (field.annotation, *get_args(field.annotation)) if get_origin(kind) is Literal]
    choices = f"[{'|'.join(get_args(kinds[0]))}]" if kinds else ""
    usual = default or _spelled(field.default)
    kind: Any = bool if field.annotation is bool else str
    shown_as = None if kind is bool else choices or metavar
    text = f"{text} [default: {usual}]"
    return Annotated[kind | None, typer.Option(*names, metavar=shown_as, help=text)]


def _spelled(value: Any) -> str:
    """A value as the command line takes it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return ",".join(value) if isinstance(value, tuple) else f"{value:g}" if isinstance(value, float) else str(value)


# parameter -> its option: a key of RunConfig, or one that stands beside them
OPTIONS: dict[str, Any] = {
    "generator": _key(
        "generator",
        *("--generator", "-g"),
        metavar="NAME",
        default="the first of genaug plugins",
        text="Generator to train, or several with shares: NAME=0.3,OTHER=0.7.",
    ),
    "per_class": _key(
        "per_class", "--per-class", metavar="N", default="an even mix", text="New images for every class."
    ),
    "balance": _key(
        "balance",
        "--balance",
        metavar="[max|median|N|RATIO]",
        default="an even mix",
        text="Fill every class up to the largest or median class, to N images, or to a ratio of the largest class.",
    ),
    "targets": _key(
        "targets",
        "--targets",
        metavar="CLASS=N,...",
        default="an even mix",
        text="New images of these classes, such as stop=40,yield=10; other classes get none.",
    ),
    "top_up": _key(
        "top_up",
        "--top-up",
        default="classical, or none if a target is given",
        text="First bring every class to the largest one, with classical variants or with copies.",
    ),
    "preset": _key("preset", "--preset", metavar="NAME", text="Named settings: auto, small or paper."),
    "settings": Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            "-s",
            metavar="KEY=VALUE",
            help="Change a setting; NAME:key=value for one of several generators, or for a selector (see: genaug "
            "plugins show NAME). Repeatable.",
        ),
    ],
    "config": Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="YAML file of settings; options given here override it."),
    ],
    "resolution": _key(
        "resolution",
        "--resolution",
        metavar="[real|PIXELS]",
        text="Size of the written training images: that of your files, or one for all of them.",
    ),
    "train_size": TrainSize,
    "size": Size,
    "resize": Resize,
    "classes": Classes,
    "groups": Annotated[
        str | None,
        typer.Option(
            "--groups",
            metavar="FILE|REGEX",
            help="Images that belong together, as of one patient: a CSV file of file,group lines, or a regular "
            "expression whose parenthesis finds the group in a file name. No group is on both sides of a split.",
        ),
    ],
    "seed": Seed,
    "device": Device,
    "workers": Annotated[
        int | None,
        typer.Option(
            "--workers",
            metavar="N",
            min=1,
            max=256,
            help="Models, classifiers or splits of a study that train in parallel; results do not depend on it. "
            "[default: one for each core]",
        ),
    ],
    "select": _key("select", "--select", metavar="NAMES", text="Selectors to apply, in order, separated by commas."),
    "overdraw": _key(
        "overdraw",
        "--overdraw",
        metavar="NUMBER",
        text="Most candidates drawn for each requested image; 1 to 100.",
    ),
    "on_shortfall": _key("on_shortfall", "--on-shortfall", text="What to do if too few candidates are accepted."),
    "judge_steps": _key(
        "judge_steps", "--judge-steps", metavar="N", text="Training steps of each classifier that judges images."
    ),
    "recipe": _key(
        "recipe",
        "--recipe",
        metavar="RECIPE",
        text="How real and synthetic images are combined: concatenate, cap=RATIO, weight=W.",
    ),
    "probe": _key(
        "probe",
        "--probe/--no-probe",
        text="Let the label-safety probe decide which flips, rotations and hue shifts are allowed.",
    ),
    "gate": _key(
        "gate", "--gate/--no-gate", text="Run a quick study first; draw synthetic images only if it recommends them."
    ),
    "check": _key(
        "check", "--check/--no-check", text="Before the run ends, find out whether its images harm a classifier."
    ),
    "budget": _key(
        "budget",
        "--budget",
        metavar="TIME",
        default="no limit",
        text="Time for the whole run, such as 10m: trainings are shortened until it fits.",
    ),
    "reject": Annotated[
        Path | None,
        typer.Option("--reject", metavar="FILE", help="File of images to reject, as the report page saves it."),
    ],
    "format": _key(
        "format", "--format", text="How images are written: class folders, tar shards (WebDataset) or Parquet shards."
    ),
    "only_synthetic": _key(
        "only_synthetic",
        "--only-synthetic/--no-only-synthetic",
        text="Write only the synthetic images, none of your files.",
    ),
}
