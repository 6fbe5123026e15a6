"""The docs are read by tests: tables are current, every command and exit code is there, every Python block runs."""

import importlib.util
import re
from pathlib import Path

import pytest
from genaug import errors
from genaug.cli.app import app
from typer.main import get_command

from tests.integration.conftest import fill

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(ROOT.glob("docs/*.md"))
IDS = [page.name for page in PAGES]


def generator_of_docs():
    source = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs/generate.py")
    module = importlib.util.module_from_spec(source)
    source.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["README.md", "docs/commands.md", "docs/settings.md"])
def test_tables_are_what_the_code_says(page):
    assert (ROOT / page).read_text("utf-8") == generator_of_docs().current(page), "run docs/generate.py"


def test_every_command_is_in_the_manual():
    manual = (ROOT / "docs/commands.md").read_text("utf-8")
    names = list(get_command(app).commands)
    assert {"run", "plan", "inspect", "sample", "plugins", "demo"} <= set(names)
    for name in names:
        assert f"| `genaug {name}" in manual


def test_every_exit_code_is_in_the_manual():
    manual = (ROOT / "docs/commands.md").read_text("utf-8")
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.GenaugError)]
    codes = [kind.exit_code for kind in kinds] + [
        errors.PARTIAL_EXIT_CODE,
        errors.DIFFERENT_EXIT_CODE,
        errors.INTERRUPTED_EXIT_CODE,
    ]
    assert len(set(codes)) == len(codes) == 9
    for code in codes:
        assert f"\n| {code} |" in manual


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
        assert target.startswith("http") or (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_commands_in_the_text_exist_and_their_options_are_known(page):
    known = get_command(app).commands
    for line in re.findall(r"^(?:\$ )?genaug (.+)$", page.read_text("utf-8"), re.MULTILINE):
        words = line.split("#")[0].split()
        assert words[0] in known, line
        options = {name for option in known[words[0]].params for name in option.opts}
        assert {word for word in words if word.startswith("-")} <= options, line


def test_the_python_example_of_the_readme_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "signs", {"stop": 3, "yield": 2})
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert example.count("\n") <= 10
    exec(compile(example, "README.md", "exec"), {})
    assert "yield" in capsys.readouterr().out
    assert len(list((tmp_path / "signs-balanced/train/yield").iterdir())) == 3


def test_the_test_command_of_the_readme_is_what_ci_runs():
    assert "\nmake test " in (ROOT / "README.md").read_text("utf-8")
    assert "\nmake test\n" in (ROOT / ".ci/run").read_text("utf-8")
