"""The three commands of docs/plugins.md lead from nothing to a plugin of each kind that works; its own checks pass."""

import json
import re
import sys
from pathlib import Path

import pytest
from genaug.scaffold import KINDS

from tests.commands import command
from tests.environments import ROOT, call, install, new_environment
from tests.folders import fill

QUICK = ("--preset", "small", "-s", "steps=3", "-s", "hidden=8", "--no-check", "--per-class", "2")
NAMES = {"generator": "my-model", "metric": "my-score", "selector": "my-filter"}


def blocks() -> list[list[str]]:
    """The lines of each code block of the manual that begins with a new plugin."""
    found = re.findall(r"```\n(genaug plugins new .*?)```", (ROOT / "docs/plugins.md").read_text("utf-8"), re.DOTALL)
    return [block.splitlines() for block in found]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[str]]:
    """The folder in which the commands of the manual ran, its interpreter, and what each third command printed."""
    home = tmp_path_factory.mktemp("author")
    fill(home / "signs", {"cat": 5, "dog": 3})
    python = new_environment(home / "env")

    def run(line: str, *more: str) -> str:
        return call(python, *command(*line.split()[1:], *more)[1:], cwd=home)

    printed = []
    for new, installing, using in blocks():
        run(new)
        words = installing.split()
        assert words[:2] == ["pip", "install"]
        install(python, *words[2:], cwd=home)
        chosen = () if "--select" in using else ("--select", "none")
        printed.append(run(using, *((*QUICK, *chosen) if using.startswith("genaug run") else ("--json",))))
    return home, python, printed


def test_the_manual_has_three_commands_for_each_kind():
    assert [len(block) for block in blocks()] == [3, 3, 3]
    assert [block[0].split()[-1] for block in blocks()] == list(KINDS)


def test_a_new_generator_draws_images(answers):
    drawn = (answers[0] / "signs-my-model/train").glob("*/my-model-*.png")
    assert sorted(path.parent.name for path in drawn) == ["cat", "cat", "dog", "dog"]


def test_a_new_metric_scores_images(answers):
    (row,) = json.loads(answers[2][1])
    assert row["name"] == "my-score"
    assert row["images"] == 4
    assert 0 <= row["value"] <= 1


def test_a_new_selector_judges_images(answers):
    files = [answers[0] / "signs-filtered" / name for name in ("provenance.jsonl", "rejections.jsonl")]
    records = [json.loads(line) for path in files if path.exists() for line in path.read_text("utf-8").splitlines()]
    scores = [record["scores"]["my-filter"] for record in records if "my-filter" in record.get("scores", {})]
    assert scores
    assert all(0 <= score <= 1 for score in scores)


def test_a_new_plugin_keeps_every_promise(answers):
    home, python, _ = answers
    found = json.loads(call(python, *command("plugins", "test", "my-score", "--json")[1:], cwd=home))
    assert {(one["promise"], one["fault"]) for one in found["metric"]} >= {("computing is pure", "")}
    assert {one["fault"] for one in found["metric"]} == {""}


@pytest.mark.parametrize("kind", KINDS)
def test_the_checks_of_a_new_package_pass(answers, kind):
    home, python, _ = answers
    package = home / f"genaug-{NAMES[kind]}"
    for check in (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["pytest", "-q"]):
        call(python, "-m", *check, cwd=package)


def test_the_types_of_new_packages_are_sound(answers):
    """With this project's strict settings, so that what mypy knows of torch is found again."""
    sources = [answers[0] / f"genaug-{name}/src" for name in NAMES.values()]
    assert "no issues found in 9 source files" in call(sys.executable, "-m", "mypy", *sources, MYPYPATH="core/src")
