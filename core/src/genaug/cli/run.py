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
    select: given.Select = None,
    overdraw: given.Overdraw = None,
    on_shortfall: given.Shortfall = None,
    recipe: given.Recipe = None,
    probe: given.Probed = None,
    format_name: given.Format = None,
    only_synthetic: given.OnlySynthetic = None,
    as_json: given.Json = False,
) -> int:
    """Train a generator on DATA and write a balanced data set to OUT. Without a target: --balance max."""
    from genaug import pipeline
    from genaug.cli.watch import watching

    wishes: dict[str, Any] = {
        "generator": generator,
        "per_class": per_class,
        "balance": balance,
        "preset": preset,
        "size": size,
    }
    wishes |= {"resize": resize, "classes": classes, "seed": seed, "device": device, "select": select}
    wishes |= {"overdraw": overdraw, "on_shortfall": on_shortfall, "recipe": recipe, "probe": probe}
    wishes |= {"format": format_name, "only_synthetic": only_synthetic}
    job = given.prepare(data, config, settings, **wishes)
    target = out or given.default_out(data)
    with watching() as report:
        mixed = pipeline.run(job, target, workers=workers, report=report)
    if as_json:
        console.answer_json(_summary(mixed, target))
    else:
        _tell(mixed, target)
    return PARTIAL_EXIT_CODE if mixed.failures else 0


def _summary(mixed: "Mixed", out: Path) -> dict[str, Any]:
    from genaug.mixing.entries import written_counts

    skipped = [{"path": entry.path, "reason": entry.reason} for entry in mixed.loaded.skipped]
    return {
        "out": str(out.resolve()),
        "counts": written_counts(mixed),
        "failures": mixed.failures,
        "shortfall": mixed.shortfall,
        "rejected": mixed.rejections(),
        "skipped": skipped,
    }


def _tell(mixed: "Mixed", out: Path) -> None:
    from genaug.mixing.entries import written_counts

    rows = [(name, n["real"], n["synthetic"], n["real"] + n["synthetic"]) for name, n in written_counts(mixed).items()]
    console.table("", ("class", "real", "synthetic", "all"), rows)
    _tell_probe(mixed)
    _tell_selection(mixed)
    for name, reason in mixed.failures.items():
        console.note(f"class {name!r} got no synthetic images: {reason}")
    console.say(f"data set: {out / ('train' if mixed.record['format'] == 'folder' else 'data')}")
    console.say(f"look at the images: {out / 'contact-sheets'}")
    console.say("whether they help a classifier is not shown by their looks: compare with and without them")


def _tell_probe(mixed: "Mixed") -> None:
    """What augmentation was allowed, where the probe was asked."""
    if found := mixed.record["probed"]:
        console.say(f"probe: kept every class: {', '.join(found['allowed']) or 'no change'}")
        console.say(f"probe: banned: {', '.join(found['banned']) or 'no change'}; the rest is unclear")


def _tell_selection(mixed: "Mixed") -> None:
    """How many candidates each selector turned away, and what fills the places of those that are missing."""
    turned_away = mixed.rejections()
    if turned_away:
        names = sorted({name for counts in turned_away.values() for name in counts})
        rows = [(label, *(counts.get(name, 0) for name in names)) for label, counts in turned_away.items()]
        console.table("candidates rejected", ("class", *names), rows)
    if fills := mixed.fills():
        console.table("shortfall", ("class", "wanted", "kept", "filled up", "missing"), fills)
