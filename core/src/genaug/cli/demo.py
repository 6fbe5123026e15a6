"""genaug demo: the whole way on bundled real data, in minutes."""

from pathlib import Path
from typing import Annotated

import typer

from genaug.cli import console
from genaug.cli import options as given
from genaug.errors import PARTIAL_EXIT_CODE

Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for the digits and the data set made from them.")]


@given.with_run_options("generator", "preset", "settings", "seed", "device", "workers")
def demo(*, out: Out = Path("genaug-demo"), options: given.RunOptions) -> int:
    """Balance scikit-learn's handwritten digits (real scans, made imbalanced) and score a classifier on the result."""
    from genaug import demonstration
    from genaug.cli.progress import progress_bars
    from genaug.data.folder import load_folder
    from genaug.registry import load_registry
    from genaug.report import write_report
    from genaug.run import pipeline
    from genaug.run.job import resolve

    registry = load_registry()
    config = options.run_config(registry, balance="max", check=False)  # it scores the images itself
    data, target = out / "digits", out / "digits-genaug"
    demonstration.write_digits(data)
    job = resolve(config, load_folder(data), registry)
    with progress_bars() as report:
        mixed = pipeline.run(job, target, workers=options.workers, report=report)
    console.counts_table(mixed.counts())
    with progress_bars() as report:
        found = demonstration.scores(mixed, config.seed, workers=options.workers, report=report)
    console.say(demonstration.sentence(found))
    console.say(f"data set: {target / 'train'}")
    console.say(f"report: {write_report(target)}")
    return PARTIAL_EXIT_CODE if mixed.failures else 0
