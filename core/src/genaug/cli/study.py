"""genaug study: find out whether synthetic images help."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genaug.cli import console
from genaug.cli import options as given
from genaug.errors import UsageError, shown
from genaug.overrides import duration, read_assignments
from genaug.storage import real_path

if TYPE_CHECKING:
    from genaug.studies.question import Question

Generators = Annotated[
    list[str] | None,
    typer.Option(
        "--generator",
        "-g",
        metavar="NAME,...",
        help="Generators to study, each alone: NAME,OTHER; or as a mixture: NAME=0.3,OTHER=0.7. Repeatable.",
    ),
]
Recipes = Annotated[
    list[str] | None,
    typer.Option(
        "--recipe",
        metavar="RECIPE",
        help="How real and synthetic images are combined: concatenate, anneal, ... Repeatable.",
    ),
]
Counts = Annotated[
    str | None, typer.Option("--counts", help="Numbers of synthetic images per class to compare, such as 0,50,100,500.")
]
On = Annotated[
    str | None,
    typer.Option(
        "--on", help="What scores the classifiers: folds of the training images, or split, the test split; else auto."
    ),
]
Folds = Annotated[int | None, typer.Option("--folds", help="Number of cross-validation folds; 5 if left out.")]
Repeats = Annotated[
    int | None,
    typer.Option(
        "--repeats",
        help="Repetitions of the cross-validation, or of trainings that a test split scores; 2 or 3 if left out.",
    ),
]
Seeds = Annotated[
    int | None, typer.Option("--seeds", help="Classifiers trained for each arm and split; 2 if left out.")
]
Steps = Annotated[
    int | None,
    typer.Option(
        "--steps", help="Training steps of each classifier; if left out, doubled until real images alone stop gaining."
    ),
]
Network = Annotated[
    str | None,
    typer.Option(
        "--classifier", help="Classifier: small, or a model of torchvision or timm by name, such as resnet18."
    ),
]
Frozen = Annotated[
    bool,
    typer.Option("--frozen", help="Keep the weights of --weights and train a linear layer on the network's features."),
]
Weights = Annotated[Path | None, typer.Option("--weights", help="File of initial weights of the classifier.")]
Budget = Annotated[
    str | None,
    typer.Option("--budget", help="Time limit, such as 30m or 1h30m; as many splits as fit are computed."),
]
StudyOut = Annotated[
    Path | None, typer.Option("--out", "-o", help="Output folder; DATA-study beside the data if left out.")
]

_RUN_OPTIONS = (
    *("per_class", "balance", "targets", "top_up", "preset", "settings", "config", "size", "resize", "classes"),
    *("groups", "seed", "device", "workers", "select", "overdraw", "judge_steps", "probe"),
)


@given.with_run_options(*_RUN_OPTIONS)
def study(
    data: given.Data = Path(),
    *,
    generator: Generators = None,
    options: given.RunOptions,
    counts: Counts = None,
    recipe: Recipes = None,
    budget: Budget = None,
    on: On = None,
    folds: Folds = None,
    repeats: Repeats = None,
    seeds: Seeds = None,
    steps: Steps = None,
    classifier: Network = None,
    frozen: Frozen = False,
    weights: Weights = None,
    out: StudyOut = None,
    as_json: given.Json = False,
) -> int:
    """Find out whether synthetic images help: train classifiers with and without them, score on held-out images."""
    from genaug.cli.progress import progress_bars
    from genaug.studies.study import study as run_study

    values: dict[str, Any] = {
        "on": on,
        "folds": folds,
        "repeats": repeats,
        "seeds": seeds,
        "steps": steps,
        "classifier": classifier,
        "frozen": frozen or None,
        "recipes": recipe,
        "counts": numbers(counts),
    }
    seconds = None if budget is None else _seconds(budget)
    question = _question(data, generator, options, values, weights)
    target = out or real_path(data).with_name(f"{real_path(data).name}-study")
    with progress_bars() as report:
        result = run_study(question, target, workers=options.workers or given.cores(), budget=seconds, report=report)
    _answer(result, target, as_json=as_json)
    return 0


def _question(
    data: Path,
    generators: list[str] | None,
    options: given.RunOptions,
    values: dict[str, Any],
    weights: Path | None,
) -> "Question":
    from genaug.data.folder import load_folder
    from genaug.registry import load_registry
    from genaug.studies.question import Question
    from genaug.studies.runs import study_runs

    given_values = {key: value for key, value in values.items() if value is not None and value != []}
    settings = read_assignments(options.settings or [])
    most = {"per_class": max(values["counts"])} if values["counts"] else {}  # it replaces the target of a file
    runs, config = study_runs(generators or [], options.keys(**most), settings, given_values, load_registry())
    first = next(iter(runs.values()))
    loaded = load_folder(data, classes=first.classes, size=first.size, resize=first.resize).grouped(first.groups)
    console.show_notes(loaded)
    return Question(loaded, runs, config, weights)


def _answer(result: dict[str, Any], target: Path, *, as_json: bool) -> None:
    from genaug.report import write_report

    if as_json:
        console.answer_json(result)
        write_report(target)
    else:
        show(result)
        console.say(f"report: {write_report(target)}")


def _seconds(budget: str) -> int:
    try:
        return duration(budget)
    except ValueError as error:
        raise UsageError(f"budget: {error}, got {shown(budget)}") from error


def numbers(text: str | None) -> list[int] | None:
    """`0,50,100` as a list of numbers, None for None; raises UsageError."""
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or not all(part.isascii() and part.isdigit() for part in parts):
        raise UsageError(f"counts: expected numbers of images such as 0,50,100,500, got {text!r}")
    return [int(part) for part in parts]


def show(result: dict[str, Any]) -> None:
    """Print the arms, the classes, the verdict and the recommendation."""
    rows = [
        (
            arm["name"],
            _mean(arm["balanced_accuracy"]),
            _difference(arm["difference"]),
            "" if arm["difference"] is None else arm["difference"]["verdict"],
            _mean(arm["macro_f1"]),
        )
        for arm in result["arms"]
    ]
    columns = ("trained on", "mean", "against best real-only", "verdict", "macro-F1")
    console.table("balanced accuracy on held-out images", columns, rows, whole=range(1, 5))
    lines = [
        (row["class"], row["images"], _share(row["real"]), _share(row["synthetic"]), row["verdict"])
        for row in result["classes"]
    ]
    console.table("recall", ("class", "images", "real only", "with synthetic", "verdict"), lines)
    for row in result["made"]:
        if row["missing"] or row["failures"]:
            console.note(_shortfall_note(row))
    for text in (*result["headline"]["without"], result["headline"]["sentence"]):
        console.say(text)
    for text in result["notes"]:
        console.note(text)
    if suspects := result["suspects"]:
        console.note(
            f"{len(suspects)} image(s) may have a wrong label, such as {suspects[0]['file']}: all classifiers that had "
            "not seen them say another class; the report shows them"
        )
    if result["test"] is not None:
        console.say(result["test"]["sentence"])
    console.say(result["certainty"])
    console.note(result["length"]["sentence"])
    console.say(f"recommendation: {result['recommendation']['sentence']}")


def _shortfall_note(row: dict[str, Any]) -> str:
    failures = f"; {row['failures']} class(es) failed, counted over all splits" if row["failures"] else ""
    return (
        f"{row['generator']}: on average, {row['images']:.0f} images per split were accepted, "
        f"{row['missing']:.1f} fewer than planned{failures}"
    )


def _mean(estimate: dict[str, Any]) -> str:
    return "" if estimate["mean"] is None else f"{estimate['mean']:.3f}"


def _difference(estimate: dict[str, Any] | None) -> str:
    if estimate is None or estimate["mean"] is None:
        return ""
    interval = "" if estimate["low"] is None else f" ({estimate['low']:+.3f} to {estimate['high']:+.3f})"
    return f"{estimate['mean']:+.3f}{interval}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
