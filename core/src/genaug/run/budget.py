"""A run within a given time: how long its classifiers and generators train, chosen once from a few measured steps."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from genaug.config import TrainConfig
from genaug.errors import UsageError
from genaug.registry import load_registry
from genaug.run.cost import CostEstimate, measure
from genaug.run.job import Job, resolve
from genaug.run.pipeline import check
from genaug.storage import locked, make_folder, read_json, stage_hash, write_json

_FILE = "budget.json"
_USED = 0.85  # of the budget; the rest is for steps that take longer than the measured ones
_LEAST = 0.02
_CHUNKS = 4
_ENOUGH = 0.5


@dataclass(frozen=True)
class Lengths:
    """Shares of the full lengths: training of generators, judging of the classifiers; check: whether there is one."""

    training: float
    judging: float
    check: bool


# in this order as long as generators can train for half of their length: full judges matter more than the check
_PREFERENCES = (Lengths(1.0, 1.0, True), Lengths(1.0, 1.0, False), Lengths(1.0, 0.5, False), Lengths(1.0, 0.25, False))


def within_budget(
    job: Job, folder: Path, out: Path | None = None, *, spent: float = 0.0, workers: int | None = None
) -> Job:
    """The job with lengths that fit into its budget; the job unchanged where its config has none.

    folder: where the choice is kept and found again, so that an interrupted run goes on with the same lengths. out: the
    output, checked before anything is measured. spent: seconds of the budget that are over.
    Raises UsageError for a budget that is too short for anything, and what the check of the output raises.
    """
    if job.config.budget is None:
        return job
    key, path = stage_hash(job.request()), folder / _FILE
    kept = _kept(path, key)
    if kept is not None:
        return shortened(job, kept)
    check(job, out)
    began = time.monotonic()
    cost = measure(job, workers, drawing=budgeted_drawing(job.config.budget))
    lengths = choose(cost, job.config.budget, spent + time.monotonic() - began)
    with locked(folder):
        write_json(make_folder(folder) / _FILE, {"key": key, "lengths": asdict(lengths)})
    return shortened(job, lengths)


def budgeted_drawing(budget: int) -> float:
    """Seconds that drawing one chunk of images may take while it is measured: whole runs draw at least a few."""
    return budget / _CHUNKS


def _kept(path: Path, key: str) -> Lengths | None:
    """The choice that a file holds for this key; None where it holds none, or no possible one."""
    found = read_json(path)
    lengths = found.get("lengths") if isinstance(found, dict) and found.get("key") == key else None
    if not isinstance(lengths, dict) or lengths.keys() != {one.name for one in fields(Lengths)}:
        return None
    shares = (lengths["training"], lengths["judging"])
    possible = all(type(share) is float and 0 < share <= 1 for share in shares) and type(lengths["check"]) is bool
    return Lengths(**lengths) if possible else None


def choose(cost: CostEstimate, budget: int, spent: float = 0.0) -> Lengths:
    """The lengths that fit into a budget in seconds, of which some are spent; raises UsageError where none do."""
    drawing = cost.draw_seconds or 0.0
    if math.isinf(drawing):
        raise UsageError(
            f"a budget of {budget} s is too short for this run: drawing the first few images takes more than "
            f"{budgeted_drawing(budget):.0f} s; give more time, or fewer sampling steps"
        )
    left = _USED * budget - spent - drawing - cost.write_seconds
    for lengths in _PREFERENCES:
        checking = cost.check_seconds + cost.detector_seconds if lengths.check else 0.0
        room = left - lengths.judging * cost.judge_seconds - checking
        training = min(1.0, room / cost.seconds) if cost.seconds else float(room >= 0)
        if training >= (_LEAST if lengths is _PREFERENCES[-1] else _ENOUGH):
            return replace(lengths, training=training)
    least = _LEAST * cost.seconds + lengths.judging * cost.judge_seconds + _USED * budget - left
    raise UsageError(
        f"a budget of {budget} s is too short for this run, which needs about {least / _USED:.0f} s at the least; give "
        "more time, a smaller --size, or fewer images"
    )


def shortened(job: Job, lengths: Lengths) -> Job:
    """The same job with other lengths, and a record of what was given up."""
    config = job.config
    tables = dict(config.generators)
    gave_up = []
    for share in job.shares:
        before = share.settings.preset.train
        after = _scaled(before, lengths.training)
        if after and not share.settings.description.from_originals:
            own = tables.get(share.name, {})
            tables[share.name] = own | {"train": {**own.get("train", {}), **after}}
            gave_up += [f"{share.name} trains for {words}" for words in _differing(before, after)]
    steps = max(1, round(lengths.judging * config.judge_steps))
    if steps < config.judge_steps:
        gave_up.append(f"the classifiers that judge images train for {steps} of {config.judge_steps} steps")
    if config.check and not lengths.check:
        gave_up.append("there is no harm check, and nothing tells generated from real images")
    changes = {"generators": tables, "judge_steps": steps, "check": config.check and lengths.check}
    shorter = resolve(config.model_copy(update=changes), job.loaded, load_registry())
    record = {"seconds": config.budget, "gave_up": gave_up, "sentence": _sentence(gave_up, config.budget)}
    return replace(shorter.without(job.manual_rejections), budget=record)


def _scaled(train: TrainConfig, share: float) -> Mapping[str, int]:
    """The settings of a training whose length changes."""
    lengths = {"steps": train.steps, "epochs": train.epochs, "specialise_steps": train.specialise_steps}
    shorter = {key: max(1, int(share * length)) for key, length in lengths.items() if length}
    if share >= 1 or not shorter:
        return {}
    return shorter | {"warmup_steps": int(share * train.warmup_steps)}


def _differing(before: TrainConfig, after: Mapping[str, int]) -> list[str]:
    units = {"steps": "steps", "epochs": "epochs", "specialise_steps": "steps for each class"}
    return [f"{after[key]:,} of {getattr(before, key):,} {unit}" for key, unit in units.items() if key in after]


def _sentence(gave_up: Sequence[str], seconds: int | None) -> str:
    if not gave_up:
        return f"the whole run fits into the budget of {seconds} s"
    return f"to keep the budget of {seconds} s: {'; '.join(gave_up)}; with more time the images may be better"
