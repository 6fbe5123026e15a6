"""genaug run: the main job."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from genaug.cli import console
from genaug.cli import options as given
from genaug.errors import PARTIAL_EXIT_CODE

if TYPE_CHECKING:
    from genaug.mixing.mixed import Mixed


def run(
    data: given.Data = Path(),
    generator: given.GeneratorName = None,
    per_class: given.PerClass = None,
    balance: given.Balance = None,
    out: given.Out = None,
    preset: given.PresetName = None,
    settings: given.Set = None,
    config: given.ConfigFile = None,
    size: given.Size = None,
    resize: given.Resize = None,
    classes: given.Classes = None,
    seed: given.Seed = None,
    device: given.Device = None,
    workers: given.Workers = None,
    copy_mode: given.CopyMode = None,
    as_json: given.Json = False,
) -> int:
    """Train a generator on DATA and write a balanced data set to OUT. Without a target: --balance max."""
    from genaug import pipeline
    from genaug.cli.watch import watching

    wishes = {"generator": generator, "per_class": per_class, "balance": balance, "preset": preset, "size": size}
    wishes |= {"resize": resize, "classes": classes, "seed": seed, "device": device, "copy_mode": copy_mode}
    job = given.prepare(data, config, settings, **wishes)
    if job.config.copy_mode == "hardlink":
        console.note("hard links share their bytes with your files: never edit a real image inside the output")
    target = out or given.default_out(data)
    with watching() as report:
        mixed = pipeline.run(job, target, workers=workers, report=report)
    if as_json:
        console.answer_json(_summary(mixed, target))
    else:
        _tell(mixed, target)
    return PARTIAL_EXIT_CODE if mixed.failures else 0


def _summary(mixed: "Mixed", out: Path) -> dict[str, Any]:
    skipped = [{"path": entry.path, "reason": entry.reason} for entry in mixed.loaded.skipped]
    return {"out": str(out.resolve()), "counts": mixed.counts(), "failures": mixed.failures, "skipped": skipped}


def _tell(mixed: "Mixed", out: Path) -> None:
    rows = [(name, n["real"], n["synthetic"], n["real"] + n["synthetic"]) for name, n in mixed.counts().items()]
    console.table("", ("class", "real", "synthetic", "all"), rows)
    for name, reason in mixed.failures.items():
        console.note(f"class {name!r} got no synthetic images: {reason}")
    console.say(f"data set: {out / 'train'}")
    console.say(f"look at the images: {out / 'contact-sheets'}")
    console.say("whether they help a classifier is not shown by their looks: compare with and without them")
