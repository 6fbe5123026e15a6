"""genaug run: the main job."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from genaug.cli import console
from genaug.cli import options as given
from genaug.errors import PARTIAL_EXIT_CODE

if TYPE_CHECKING:
    from genaug.job import Job
    from genaug.mixing.mixed import Mixed
    from genaug.selection import Marked

_UNKNOWN = "in our own studies there was no evidence that such images help a classifier; for yours, ask"


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
    gate: given.Gate = None,
    reject: given.Reject = None,
    format_name: given.Format = None,
    only_synthetic: given.OnlySynthetic = None,
    as_json: given.Json = False,
) -> int:
    """Train a generator on DATA and write a balanced data set to OUT. Without a target: --balance max."""
    wishes: dict[str, Any] = {"generator": generator, "per_class": per_class, "balance": balance, "preset": preset}
    wishes |= {"size": size, "resize": resize, "classes": classes, "seed": seed, "device": device, "select": select}
    wishes |= {"overdraw": overdraw, "on_shortfall": on_shortfall, "recipe": recipe, "probe": probe, "gate": gate}
    wishes |= {"format": format_name, "only_synthetic": only_synthetic}
    marked = _marked(reject)
    job = given.prepare(data, config, settings, **wishes).without(marked)
    target = out or given.default_out(data)
    mixed, page = _made(job, target, workers)
    if as_json:
        console.answer_json(_summary(mixed, target))
    else:
        _tell(mixed, target, page, f"genaug study {quote(str(data))} -g {quote(job.config.generator or '')}")
    return PARTIAL_EXIT_CODE if mixed.failures else 0


def _marked(reject: Path | None) -> "Marked":
    from genaug.selection import read_marked

    return {} if reject is None else read_marked(reject)


def _made(job: "Job", target: Path, workers: int | None) -> "tuple[Mixed, Path]":
    """The data set, after a quick study where one was asked for, and its page."""
    from genaug import pipeline
    from genaug.cli.watch import watching
    from genaug.report import write_report
    from genaug.storage import copy_file
    from genaug.study.gate import FOLDER, gated
    from genaug.study.study import RESULT

    with watching() as report:
        own = pipeline.checked(job, target).own
        if job.config.gate:
            job = gated(job, own / FOLDER, workers=workers or given.cores(), report=report)
        mixed = pipeline.run(job, target, workers=workers, report=report)
    if job.gate is not None:
        copy_file(own / FOLDER / RESULT, target / RESULT)
    return mixed, write_report(target)


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


def _tell(mixed: "Mixed", out: Path, page: Path, study: str) -> None:
    from genaug.mixing.entries import written_counts

    rows = [(name, n["real"], n["synthetic"], n["real"] + n["synthetic"]) for name, n in written_counts(mixed).items()]
    console.table("", ("class", "real", "synthetic", "all"), rows)
    _tell_probe(mixed)
    _tell_selection(mixed)
    for name, reason in mixed.failures.items():
        console.note(f"class {name!r} got no synthetic images: {reason}")
    console.say(f"data set: {out / ('train' if mixed.record['format'] == 'folder' else 'data')}")
    console.say(f"look at it: {page}")
    if gate := mixed.record["gated"]:
        console.say(f"quick study: {gate['study']}")
        console.say(f"quick study: {gate['recommendation']}")
    else:
        console.say(f"{_UNKNOWN}: {study}")


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
