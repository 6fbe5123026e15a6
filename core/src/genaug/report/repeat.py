"""The command and the settings that create an output again, taken from the record of its run."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from genaug.mixing.recipe import RecipeConfig
from genaug.targets.shares import parse_shares, shared_plan

_SECTIONS = ("model", "train", "augmentation")


@dataclass(frozen=True)
class Repeat:
    """A command, the files that it reads, and sentences about what else must be the same.

    config: the content of run.yaml. rejected: the content of rejected.json, the list of manual rejections; empty if
    there are none.
    """

    command: str
    config: str
    rejected: str
    notes: tuple[str, ...]


def repeat(run: Mapping[str, Any], manual_rejections: Sequence[str], name: str) -> Repeat | None:
    """How to create the output called `name` again; None if the record of the run lacks some of the settings.

    run: the values of that record. manual_rejections: `train/<class>/<file>` of images that a person rejected.
    """
    try:
        config, exact = _config(run)
        threads = {settings["pooled_threads"] for settings in run["generators"]}
    except (KeyError, TypeError, AttributeError, ValueError):  # written by another version, or damaged
        return None
    rejected = _one_a_line({"format": 1, "rejected": manual_rejections}) if manual_rejections else ""
    options = f"--config run.yaml{' --reject rejected.json' if rejected else ''} -o {shlex.quote(f'{name}-again')}"
    notes = tuple(_notes(run, threads, exact=exact))
    return Repeat(f"genaug run DATA {options}", yaml.safe_dump(config, sort_keys=False), rejected, notes)


def _one_a_line(values: Any) -> str:
    """JSON with one value a line; json's own indentation takes many times as long."""
    return json.dumps(values, separators=(",\n  ", ": "))


def _config(run: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """All settings as a config file holds them, and whether they give each generator the same plan as in the run."""
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
        "resolution": run["resolution"],
        "train_size": (run.get("detectability") or {}).get("train_size"),
        "top_up": "none" if run["top_up"] is None else run["top_up"]["generator"],
        "classes": run["classes"],
        "size": run["size"],
        "resize": run["resize"],
        "seed": run["seed"],
        "device": run["generators"][0]["device"],
    }
    return values, exact


def _generator(shares: Mapping[str, Mapping[str, int]], plan: Mapping[str, int]) -> tuple[str, bool]:
    """The value of `generator`, with each generator's share of all images, and whether it gives the same shares."""
    totals = {name: sum(counts.values()) for name, counts in shares.items()}
    if len(totals) == 1:
        return next(iter(totals)), True
    text = ",".join(f"{name}={count or 1}" for name, count in totals.items())
    return text, shared_plan(plan, parse_shares(text)) == shares


def _recipe(values: Mapping[str, Any]) -> str:
    """The mode, followed by the values that differ from the defaults."""
    defaults = RecipeConfig().model_dump(mode="json")
    changes = [f"{key}={value}" for key, value in values.items() if key != "mode" and value != defaults.get(key)]
    return ",".join([values["mode"], *changes])


def _notes(run: Mapping[str, Any], threads: set[int], *, exact: bool) -> list[str]:
    variables = " or ".join(f"OMP_NUM_THREADS={number}" for number in sorted(threads))
    notes = [
        f"DATA is the folder that this output was made from (hash {run['data']}). To get the same bytes, use the same "
        f"machine, the same versions of all libraries, and {variables}."
    ]
    if not exact:
        notes.append(
            "The command sets each generator's share of all images. Its share of a single class may differ from this "
            "output."
        )
    return notes
