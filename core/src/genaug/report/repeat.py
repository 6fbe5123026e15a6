"""The command and the settings that make an output again, from what run.json says of it."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from genaug.mixing.recipe import RecipeConfig
from genaug.mixing.shares import parse_shares, shared_plan

_SECTIONS = ("model", "train", "augmentation")


@dataclass(frozen=True)
class Repeat:
    """A command, the files that it reads, and sentences on what else has to be the same.

    rejected: the list of images that a person took out, empty where nobody did.
    """

    command: str
    config: str
    rejected: str
    notes: tuple[str, ...]


def repeat(run: Mapping[str, Any], by_hand: Sequence[str], name: str) -> Repeat | None:
    """How to make an output of that name again; None where run.json does not say all that it takes.

    by_hand: images that a person took out.
    """
    try:
        config, exact = _config(run)
        threads = {one["pooled_threads"] for one in run["generators"]}
    except (KeyError, TypeError, AttributeError, ValueError):  # an output of another version, or a damaged one
        return None
    rejected = json.dumps({"format": 1, "rejected": by_hand}, indent=2) if by_hand else ""
    options = f"--config run.yaml{' --reject rejected.json' if rejected else ''} -o {shlex.quote(f'{name}-again')}"
    notes = tuple(_notes(run, threads, exact=exact))
    return Repeat(f"genaug run DATA {options}", yaml.safe_dump(config, sort_keys=False), rejected, notes)


def _config(run: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """All settings as a config file holds them, and whether the shares of the generators are exactly those."""
    selection = run["selection"]
    generator, exact = _generator(run["shares"], run["plan"])
    values = {
        "generator": generator,
        "preset": run["preset"],
        "generators": {one["generator"]: {key: one[key] for key in _SECTIONS} for one in run["generators"]},
        "targets": run["plan"],
        "select": [one["name"] for one in selection["selectors"]] or ["none"],
        "selectors": {one["name"]: one["settings"] for one in selection["selectors"]},
        "overdraw": selection["overdraw"],
        "judge_steps": selection["judge_steps"],
        "on_shortfall": selection["on_shortfall"],
        "recipe": _recipe(run["recipe"]),
        "probe": run["probe"],
        "format": run["format"],
        "only_synthetic": run["only_synthetic"],
        "classes": run["classes"],
        "size": run["size"],
        "resize": run["resize"],
        "seed": run["seed"],
        "device": run["generators"][0]["device"],
    }
    return values, exact


def _generator(shares: Mapping[str, Mapping[str, int]], plan: Mapping[str, int]) -> tuple[str, bool]:
    """The spelling of the generators with the shares that they had of all images."""
    totals = {name: sum(counts.values()) for name, counts in shares.items()}
    if len(totals) == 1:
        return next(iter(totals)), True
    spelled = ",".join(f"{name}={count or 1}" for name, count in totals.items())
    return spelled, shared_plan(plan, parse_shares(spelled)) == shares


def _recipe(values: Mapping[str, Any]) -> str:
    """The mode, and all that differs from its defaults."""
    usual = RecipeConfig().model_dump(mode="json")
    changes = [f"{key}={value}" for key, value in values.items() if key != "mode" and value != usual.get(key)]
    return ",".join([values["mode"], *changes])


def _notes(run: Mapping[str, Any], threads: set[int], *, exact: bool) -> list[str]:
    spelled = " or ".join(f"OMP_NUM_THREADS={number}" for number in sorted(threads))
    notes = [
        f"DATA is the folder that this was made from (hash {run['data']}). The same bytes take the same machine, the "
        f"same versions of libraries and {spelled}."
    ]
    if not exact:
        notes.append("The shares of the generators are those of all images; in single classes they may differ.")
    return notes
