"""genaug study: whether synthetic images help."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genaug.cli import console
from genaug.cli import options as given
from genaug.errors import UsageError, unknown

if TYPE_CHECKING:
    from genaug.config import RunConfig
    from genaug.registry import Registry
    from genaug.study.question import Question

Generators = Annotated[
    list[str] | None,
    typer.Option(
        "--generator",
        "-g",
        help="Generators to ask about, one by one: NAME,OTHER; a mixture: NAME=0.3,OTHER=0.7. Repeatable.",
    ),
]
Recipes = Annotated[
    list[str] | None, typer.Option("--recipe", help="How synthetic meets real: concatenate, anneal, ... Repeatable.")
]
Counts = Annotated[
    str | None, typer.Option("--counts", help="Synthetic images for each class, as 0,50,100,500: an arm for each.")
]
Folds = Annotated[int | None, typer.Option("--folds", help="Parts of which one is held out at a time; 5 if left out.")]
Repeats = Annotated[
    int | None, typer.Option("--repeats", help="Times that images are dealt out anew; 2, or what fits.")
]
Seeds = Annotated[int | None, typer.Option("--seeds", help="Classifiers for each arm and split; 2 if left out.")]
Steps = Annotated[int | None, typer.Option("--steps", help="Training steps of each classifier; 1500 if left out.")]
Classical = Annotated[
    str | None, typer.Option("--classical", help="Pipeline of the classical arms: light or paper; light if left out.")
]
Network = Annotated[
    str | None, typer.Option("--classifier", help="small, or a model of torchvision or timm by name, as resnet18.")
]
Weights = Annotated[Path | None, typer.Option("--weights", help="File of weights that the classifier begins with.")]
Budget = Annotated[
    str | None, typer.Option("--budget", help="Time that it may take, as 30m or 1h30m: as many splits as fit.")
]
StudyOut = Annotated[
    Path | None, typer.Option("--out", "-o", help="Output folder; the sibling DATA-study if left out.")
]

_HERE = {"recipe": "concatenate", "gate": False, "format": "folder", "only_synthetic": False}  # arms decide, not runs
_TIME = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def study(
    data: given.Data = Path(),
    generator: Generators = None,
    per_class: given.PerClass = None,
    balance: given.Balance = None,
    counts: Counts = None,
    recipe: Recipes = None,
    budget: Budget = None,
    folds: Folds = None,
    repeats: Repeats = None,
    seeds: Seeds = None,
    steps: Steps = None,
    classical: Classical = None,
    classifier: Network = None,
    weights: Weights = None,
    out: StudyOut = None,
    preset: given.PresetName = None,
    settings: given.Set = None,
    config: given.ConfigFile = None,
    size: given.Size = None,
    resize: given.Resize = None,
    classes: given.Classes = None,
    seed: given.Seed = None,
    device: given.Device = None,
    workers: given.Workers = None,
    select: given.Select = None,
    overdraw: given.Overdraw = None,
    probe: given.Probed = None,
    as_json: given.Json = False,
) -> int:
    """Does it help? Compare classifiers with and without synthetic images, on images that no model has seen."""
    from genaug.cli.watch import watching
    from genaug.study.study import study as ask

    asked: dict[str, Any] = {"folds": folds, "repeats": repeats, "seeds": seeds, "steps": steps}
    asked |= {"classical": classical, "classifier": classifier, "recipes": recipe, "counts": numbers(counts)}
    wishes: dict[str, Any] = {"balance": balance, "preset": preset, "size": size, "resize": resize, "classes": classes}
    wishes |= {"seed": seed, "device": device, "select": select, "overdraw": overdraw, "probe": probe}
    wishes |= {"per_class": per_class}
    seconds = None if budget is None else duration(budget)
    question = _question(data, generator, settings, config, asked, wishes, weights)
    target = out or data.resolve().with_name(f"{data.resolve().name}-study")
    with watching() as report:
        found = ask(question, target, workers=workers or given.cores(), budget=seconds, report=report)
    _answer(found, target, as_json=as_json)
    return 0


def _question(
    data: Path,
    generators: list[str] | None,
    settings: list[str] | None,
    config: Path | None,
    asked: dict[str, Any],
    wishes: dict[str, Any],
    weights: Path | None,
) -> "Question":
    from genaug.config import changed, parse
    from genaug.data.folder import load_folder
    from genaug.registry import load_registry
    from genaug.study.question import Question
    from genaug.study.settings import StudyConfig

    wish = parse(StudyConfig, {key: value for key, value in asked.items() if value is not None}, "the study")
    if wish.counts:
        wishes |= {"per_class": max(wish.counts)}
    runs = runs_of(generators, settings, config, load_registry(), wishes)
    first = next(iter(runs.values()))
    if not asked["recipes"]:
        wish = changed(wish, {"recipes": (first.recipe,)}, "the study")
    runs = {name: run.model_copy(update=_HERE | _shortfall(run)) for name, run in runs.items()}
    loaded = load_folder(data, classes=first.classes, size=first.size, resize=first.resize)
    console.show_notes(loaded)
    return Question(loaded, runs, wish, weights)


def _shortfall(run: "RunConfig") -> dict[str, str]:
    """What selectors turn away is missing here: variants of real images in its place would be scored as synthetic."""
    return {} if run.on_shortfall == "fail" else {"on_shortfall": "leave"}


def _answer(found: dict[str, Any], target: Path, *, as_json: bool) -> None:
    from genaug.report import write_report

    if as_json:
        console.answer_json(found)
        write_report(target)
    else:
        tell(found)
        console.say(f"look at it: {write_report(target)}")


def runs_of(
    generators: list[str] | None,
    settings: list[str] | None,
    config: Path | None,
    registry: "Registry",
    wishes: dict[str, Any],
) -> "dict[str, RunConfig]":
    """{what is asked about: its run}; each generator alone, or a mixture where shares are given."""
    from genaug.mixing.shares import parse_shares

    asked = [name for text in generators or [registry.default_generator()] for name in _asked(text)]
    if not asked:
        raise UsageError("generator: expected a name, or several between commas, got nothing (see: genaug plugins)")
    owners = {name: set(parse_shares(name)) for name in asked}
    for text in settings or []:
        prefix, colon, _ = text.partition("=")[0].partition(":")
        known = set().union(*owners.values())
        if colon and prefix not in known:
            raise unknown("generator in settings", prefix, known)
        if not colon and len(asked) > 1:
            raise UsageError(f"with several generators, write {asked[0]}:{text}, or another of them, got {text!r}")
    runs = {}
    for name in asked:
        mine = [text for text in settings or [] if _belongs(text, owners[name])]
        run = given.run_config(config, registry, mine, generator=name, **wishes)
        tables = {owner: table for owner, table in run.generators.items() if owner in owners[name]}
        runs[name] = run.model_copy(update={"generators": tables})
    return runs


def duration(text: str) -> float:
    """`90s`, `30m`, `2h` or `1h30m` in seconds; raises UsageError."""
    found = _TIME.fullmatch(text.strip().lower())
    hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    total = 3600 * hours + 60 * minutes + seconds
    if not total:
        raise UsageError(f"budget: expected a time such as 30m, 2h or 1h30m, got {text!r}")
    return float(total)


def numbers(text: str | None) -> list[int] | None:
    """`0,50,100` as numbers of images; raises UsageError."""
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or not all(part.isascii() and part.isdigit() for part in parts):
        raise UsageError(f"counts: expected numbers of images such as 0,50,100,500, got {text!r}")
    return [int(part) for part in parts]


def tell(found: dict[str, Any]) -> None:
    """Arms, classes and the verdict, for people."""
    rows = [
        (
            arm["name"],
            _mean(arm["balanced_accuracy"]),
            _difference(arm["difference"]),
            "" if arm["difference"] is None else arm["difference"]["verdict"],
            _mean(arm["macro_f1"]),
        )
        for arm in found["arms"]
    ]
    columns = ("trained on", "mean", "against the best without", "", "macro-F1")
    console.table("balanced accuracy on images held out", columns, rows, whole=range(1, 5))
    lines = [
        (row["class"], row["images"], _share(row["real"]), _share(row["synthetic"]), row["verdict"])
        for row in found["classes"]
    ]
    console.table("recall", ("class", "images", "without", "with", ""), lines)
    for row in found["made"]:
        if row["missing"] or row["failures"]:
            console.note(_made(row))
    console.say(found["headline"]["sentence"])
    for text in found["notes"]:
        console.note(text)
    if found["test"] is not None:
        console.say(found["test"]["sentence"])
    console.say(found["certainty"])
    console.say(f"recommendation: {found['recommendation']['sentence']}")


def _made(row: dict[str, Any]) -> str:
    failures = f", and {row['failures']} class(es) failed in all" if row["failures"] else ""
    return (
        f"{row['generator']}: {row['images']:.0f} images a split passed the selectors, "
        f"{row['missing']:.1f} of the plan are missing{failures}"
    )


def _asked(text: str) -> list[str]:
    return [text.strip()] if "=" in text else [name.strip() for name in text.split(",") if name.strip()]


def _belongs(text: str, owners: set[str]) -> bool:
    prefix, colon, _ = text.partition("=")[0].partition(":")
    return not colon or prefix in owners


def _mean(estimate: dict[str, Any]) -> str:
    return "" if estimate["mean"] is None else f"{estimate['mean']:.3f}"


def _difference(estimate: dict[str, Any] | None) -> str:
    if estimate is None or estimate["mean"] is None:
        return ""
    interval = "" if estimate["low"] is None else f" ({estimate['low']:+.3f} to {estimate['high']:+.3f})"
    return f"{estimate['mean']:+.3f}{interval}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
