"""genaug plan: what a run would do, draw and cost; nothing is written."""

from pathlib import Path

from genaug.cli import console
from genaug.cli import options as given


@given.with_run_options()
def plan(
    data: given.Data = Path(),
    *,
    options: given.RunOptions,
    out: given.Out = None,
    as_json: given.Json = False,
) -> int:
    """Show what `genaug run` with these options would do, draw and cost. Times a few steps, writes nothing."""
    from genaug.run.cost import measure
    from genaug.run.job import SECTIONS
    from genaug.run.pipeline import check

    job = options.job(data)
    check(job, out)
    cost = measure(job, options.workers)
    if as_json:
        console.answer_json({"plan": job.plan, "counts": job.planned(), "cost": cost.to_json(), **job.request()})
        return 0
    planned = job.planned()
    counts = {name: row | ({"real": 0} if job.config.only_synthetic else {}) for name, row in planned.items()}
    console.counts_table(counts)
    console.say(cost.sentence())
    if job.config.gate:
        console.say("the quick study of --gate is not part of this estimate")
    for share in job.shares:
        chosen = share.settings.to_json()
        for section in SECTIONS[1:]:
            values = ", ".join(f"{key}={value}" for key, value in chosen[section].items())
            console.say(f"{share.name}, {section}: {values or 'no settings'}")
    return 0
