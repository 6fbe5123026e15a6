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
    from genaug.run.budget import budgeted_drawing, choose, shortened
    from genaug.run.cost import measure
    from genaug.run.pipeline import check
    from genaug.run.settings import SECTIONS
    from genaug.run.shortcut import origin_bits, possible_shortcut

    job = options.job(data, out)
    check(job, out)
    budget = job.config.budget
    cost = measure(job, options.workers, drawing=None if budget is None else budgeted_drawing(budget))
    if budget is not None:
        job = shortened(job, choose(cost, budget))
    planned = job.planned()
    findings = possible_shortcut(planned)
    if as_json:
        reported = {"findings": findings, "origin_bits": origin_bits(planned), "within_budget": job.budget}
        console.answer_json({"plan": job.plan, "counts": planned, "cost": cost.to_json(), **reported, **job.request()})
        return 0
    counts = {name: row | ({"real": 0} if job.config.only_synthetic else {}) for name, row in planned.items()}
    console.counts_table(counts)
    console.say(cost.sentence())
    if job.budget:
        console.say(job.budget["sentence"])
    if job.config.gate:
        console.say("the quick study of --gate is not part of this estimate")
    for share in job.shares:
        chosen = share.settings.to_json()
        for section in SECTIONS[1:]:
            values = ", ".join(f"{key}={value}" for key, value in chosen[section].items())
            console.say(f"{share.name}, {section}: {values or 'no settings'}")
    for finding in findings:
        console.say(finding)
    return 0
