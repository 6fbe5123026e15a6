"""How good each generator is on a folder: minutes, class consistency, copies, coverage, kernel distance, TSTR.

    python benchmarks/quality.py FOLDER --size 32 --out /tmp/quality [--generators cvae,cdcgan] [--seeds 3]

Prints a Markdown table for docs/models.md; writes one JSON per model and seed, which is not measured again, and a
contact sheet of each class. Compare models of one run alone: times depend on the machine.
"""

import argparse
import json
import time
from pathlib import Path
from statistics import mean, stdev

from genaug.data.folder import LoadedFolder, load_folder
from genaug.evaluation import (
    EvaluationInputs,
    MetricInputs,
    compare,
    make_extractors,
    parent_rows,
    parse_requests,
    unseen,
)
from genaug.features import cross_fit
from genaug.features.crossfit import STEPS
from genaug.mixing.mixed import MixedSet
from genaug.output.contact_sheets import SheetRow, contact_sheet
from genaug.overrides import assign, read_assignments
from genaug.registry import load_registry
from genaug.run.config import RunConfig
from genaug.run.generation import generate
from genaug.run.job import resolve
from genaug.run.pipeline import mix
from genaug.storage import make_folder, scratch_folder, write_bytes, write_json

METRICS = ("consistency", "novelty[pixels]", "novelty", "coverage", "mmd", "tstr")
COLUMNS = (
    "minutes",
    "consistency[classifier]",
    "copies[pixels]",
    "copies[classifier]",
    "coverage[classifier]",
    "mmd[classifier]",
    "tstr",
)
GENERATORS = "vae,cvae,dcgan,cdcgan,ddpm,cddpm"


def main() -> None:
    """Measure what is not measured yet, and print the table."""
    given = _arguments()
    loaded = load_folder(given.folder, size=(given.size, given.size))
    out, names = make_folder(given.out), given.generators.split(",")
    for seed in range(given.first_seed, given.first_seed + given.seeds):
        judges = None
        for name in names:
            path = out / f"{name}{given.tag}-{seed}.json"
            if not path.exists():
                judges = judges or cross_fit(loaded.train, seed=seed, steps=given.judge_steps)
                write_json(path, _measured(name, seed, loaded, judges, given, out))
            print(f"{path.stem} is measured", flush=True)
    print(
        _table(
            [
                [json.loads(path.read_text()) for path in sorted(out.glob(f"{name}{given.tag}-[0-9]*.json"))]
                for name in names
            ]
        )
    )


def _measured(name, seed, loaded: LoadedFolder, judges, given, out: Path) -> dict[str, object]:
    registry = load_registry()
    own = [text.removeprefix(f"{name}:") for text in given.set or [] if text.startswith(f"{name}:")]
    changes = assign(registry.generators.get(name).config, read_assignments(own))
    sizes = {"per_class": given.per_class, "size": (given.size, given.size)}
    config = RunConfig(generator=name, seed=seed, select=("none",), **sizes, **changes)
    job = resolve(config, loaded, registry)
    scratch = scratch_folder(main)
    started = time.monotonic()
    mixed = mix(generate(job, scratch / "models", scratch))
    minutes = (time.monotonic() - started) / 60
    _sheets(mixed, out / f"{name}{given.tag}-{seed}")
    values: dict[str, object] = {"generator": name, "seed": seed, "minutes": minutes, "failures": mixed.failures}
    requests = parse_requests(METRICS, registry, "classifier")
    extractors = make_extractors(requests, weights=None, allow_download=False, layer=2048)
    inputs = MetricInputs(_inputs(mixed), extractors, seed=seed, judges=judges)
    for request in requests:
        for row in compare(request, inputs):
            values[row.name] = row.to_json()
    return values


def _inputs(mixed: MixedSet) -> EvaluationInputs:
    train, arrays = mixed.loaded.train, mixed.arrays()
    parents = [image.parents for image in mixed.synthetic]
    names = [[train.names[row] for row in rows] for rows in parents]
    return EvaluationInputs.of(
        train,
        arrays.synthetic_images,
        arrays.synthetic_labels,
        parents=parent_rows(train, names),
        held_out=unseen(mixed.loaded.splits.get("test"), mixed.loaded.splits["train"])[0],
    )


def _sheets(mixed: MixedSet, folder: Path) -> None:
    make_folder(folder)
    train = mixed.loaded.train
    for label, name in enumerate(train.spec.classes):
        real = train.images[train.labels == label]
        synthetic = [image.pixels for image in mixed.synthetic if image.label == label]
        rows = [SheetRow("real", list(real), len(real)), SheetRow("generated", synthetic, len(synthetic))]
        write_bytes(folder / f"{label:03d}.png", contact_sheet(name, rows))


def _table(models: list[list[dict]]) -> str:
    lines = ["| model | seeds | " + " | ".join(COLUMNS) + " |", "|" + "---|" * (len(COLUMNS) + 2)]
    real = None
    for runs in models:
        if runs:
            real = real or runs
            failed = sum(len(run["failures"]) for run in runs)
            name = f"`{runs[0]['generator']}`" + (
                f" ({failed} classes failed, which nothing here counts)" if failed else ""
            )
            lines.append(f"| {name} | {len(runs)} | " + " | ".join(_cell(runs, column) for column in COLUMNS) + " |")
    if real:
        cells = " | ".join(
            _spread([run[column]["real"] for run in real if column in run]) if column != "minutes" else ""
            for column in COLUMNS
        )
        lines.append(f"| real images | {len(real)} | {cells} |")
    return "\n".join(lines)


def _cell(runs: list[dict], column: str) -> str:
    values = [run[column] if column == "minutes" else run[column]["value"] for run in runs if column in run]
    return f"{mean(values):.1f}" if column == "minutes" else _spread(values)


def _spread(found: list[float | None]) -> str:
    values = [value for value in found if value is not None]
    if not values:
        return "-"
    return f"{mean(values):.3f}" + (f" ± {stdev(values):.3f}" if len(values) > 1 else "")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of class folders, or of train/ and test/")
    parser.add_argument("--size", type=int, default=32, help="model size in pixels")
    parser.add_argument("--out", type=Path, required=True, help="folder for results and contact sheets")
    parser.add_argument("--generators", default=GENERATORS, help="names, separated by commas")
    parser.add_argument("--seeds", type=int, default=3, help="how many")
    parser.add_argument("--first-seed", type=int, default=0, help="the first of them")
    parser.add_argument("--per-class", type=int, default=40, help="images drawn for each class")
    parser.add_argument("--judge-steps", type=int, default=STEPS, help="training steps of each classifier that judges")
    parser.add_argument("--set", action="append", help="generator:key=value, a setting of one generator")
    parser.add_argument("--tag", default="", help="suffix of the result files, to tell settings apart")
    return parser.parse_args()


if __name__ == "__main__":
    main()
