"""genaug plan: what a run would do, draw and cost; nothing is written."""

from pathlib import Path
from typing import Any

from genaug.cli import console
from genaug.cli import options as given


def plan(
    data: given.Data = Path(),
    generator: given.GeneratorName = None,
    per_class: given.PerClass = None,
    balance: given.Balance = None,
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
    as_json: given.Json = False,
) -> int:
    """Say what `genaug run` with these options would do, draw and cost. Measures a few steps, writes nothing."""
    from genaug.cost import measure
    from genaug.job import SECTIONS
    from genaug.mixing.recipe import require_foldable

    wishes: dict[str, Any] = {
        "generator": generator,
        "per_class": per_class,
        "balance": balance,
        "preset": preset,
        "size": size,
    }
    wishes |= {"resize": resize, "classes": classes, "seed": seed, "device": device, "select": select}
    wishes |= {"overdraw": overdraw, "on_shortfall": on_shortfall, "recipe": recipe}
    job = given.prepare(data, config, settings, **wishes)
    require_foldable(job.recipe)
    cost = measure(job, workers)
    if as_json:
        console.answer_json({"plan": job.plan, "cost": cost.to_json(), **job.request()})
        return 0
    real = dict(zip(job.plan, job.loaded.spec.counts, strict=True))
    rows = [(name, real[name], count, real[name] + count) for name, count in job.plan.items()]
    console.table("", ("class", "real", "synthetic", "all"), rows)
    console.say(cost.sentence())
    for share in job.shares:
        chosen = share.settings.to_json()
        for section in SECTIONS[1:]:
            values = ", ".join(f"{key}={value}" for key, value in chosen[section].items())
            console.say(f"{share.name}, {section}: {values or 'no settings'}")
    return 0
