"""genaug demo: the whole way on bundled real data, in minutes."""

from pathlib import Path
from typing import Annotated

import typer

from genaug.cli import console
from genaug.cli import options as given
from genaug.errors import PARTIAL_EXIT_CODE

Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for the digits and the data set made of them.")]


def demo(
    out: Out = Path("genaug-demo"),
    generator: given.GeneratorName = None,
    preset: given.PresetName = None,
    settings: given.Set = None,
    seed: given.Seed = None,
    device: given.Device = None,
    workers: given.Workers = None,
) -> int:
    """Balance scikit-learn's handwritten digits (real scans, made imbalanced) and score a classifier on the result."""
    from genaug import demonstration, pipeline
    from genaug.cli.watch import watching
    from genaug.data.folder import load_folder
    from genaug.job import resolve
    from genaug.registry import load_registry
    from genaug.report import write_report

    registry = load_registry()
    wishes = given.run_config(
        None, registry, settings, generator=generator, preset=preset, seed=seed, device=device, balance="max"
    )
    data, target = out / "digits", out / "digits-genaug"
    demonstration.write_digits(data)
    job = resolve(wishes, load_folder(data), registry)
    with watching() as report:
        mixed = pipeline.run(job, target, workers=workers, report=report)
    rows = [(name, n["real"], n["synthetic"], n["real"] + n["synthetic"]) for name, n in mixed.counts().items()]
    console.table("", ("class", "real", "synthetic", "all"), rows)
    console.note("training a small classifier with and without the synthetic images ...")
    console.say(demonstration.sentence(demonstration.scores(mixed, wishes.seed)))
    console.say(f"data set: {target / 'train'}")
    console.say(f"look at it: {write_report(target)}")
    return PARTIAL_EXIT_CODE if mixed.failures else 0
