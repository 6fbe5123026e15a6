"""The documents are read by tests: tables, commands, exit codes, links, the example, and nothing of one machine."""

import importlib.util
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import yaml
from genaug import errors
from genaug.cli.app import app
from typer.main import get_command

from tests.folders import fill_alike

from .sources import ROOT, assert_none, place

MOST_BYTES = 1_000_000
GROUP = get_command(app)
COMMANDS = {name: GROUP.get_command(None, name) for name in GROUP.list_commands(None)}
COMMANDS |= {
    f"{name} {part}": inner for name, one in COMMANDS.items() for part, inner in getattr(one, "commands", {}).items()
}


def test_documents_say_what_the_code_does():
    assert_none((*outdated_tables(), *gaps_in_the_manual(), *unknown_commands(), *dead_links(), *other_checks()))


def test_the_python_example_of_the_readme_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    fill_alike(tmp_path / "signs", {"stop": 2, "yield": 1})
    (example,) = re.findall(r"```python\n(.*?)```", text("README.md"), re.DOTALL)
    assert example.count("\n") <= 10
    exec(compile(example, "README.md", "exec"), {})
    assert "yield" in capsys.readouterr().out
    assert len(list((tmp_path / "signs-balanced/train/yield").iterdir())) == 3


def test_nothing_of_one_machine_is_written_down():
    hosts = "|".join(["py" + r"pi\.org", "python" + "hosted", "registry" + r"\.npmjs", "deb" + r"\.debian"])
    machine = re.compile(rf"({hosts}|(^|[^\w.])/({'wo' + 'rk'}|root|home)/\w)", re.MULTILINE)
    kept = [path for path in tracked() if path.is_file()]
    assert_none(f"{place(path)} is over {MOST_BYTES} bytes" for path in kept if path.stat().st_size >= MOST_BYTES)
    found = ((path, machine.search(path.read_text("utf-8", "replace"))) for path in kept)
    assert_none(f"{place(path)} holds {match[0].strip()!r}" for path, match in found if match)


def tracked(*patterns: str) -> list[Path]:
    """The files that git knows."""
    command = ["git", "ls-files", "-z", "--", *patterns]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name]


def text(name: str) -> str:
    """A file of the repository."""
    return (ROOT / name).read_text("utf-8")


def pages() -> Iterator[tuple[Path, str]]:
    """Every Markdown page with its text."""
    yield from ((path, path.read_text("utf-8")) for path in tracked("*.md") if path.is_file())


def outdated_tables() -> Iterator[str]:
    """Pages whose tables are not what the code says."""
    source = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs/generate.py")
    generate = importlib.util.module_from_spec(source)
    source.loader.exec_module(generate)
    yield from (f"{page} is out of date; run docs/generate.py" for page in generate.BLOCKS if outdated(generate, page))


def outdated(generate, page: str) -> bool:
    """Whether docs/generate.py would change a page."""
    return text(page) != generate.current(page)


def gaps_in_the_manual() -> Iterator[str]:
    """Commands and exit codes that docs/commands.md does not explain."""
    manual = text("docs/commands.md")
    assert {"run", "plan", "inspect", "sample", "plugins", "demo"} <= set(COMMANDS)
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.GenaugError)]
    codes = [errors.PARTIAL_EXIT_CODE, errors.DIFFERENT_EXIT_CODE, errors.INTERRUPTED_EXIT_CODE]
    codes += [kind.exit_code for kind in kinds]
    assert len(set(codes)) == len(codes) == 9
    yield from (f"docs/commands.md: no row for genaug {name}" for name in COMMANDS if f"| `genaug {name}" not in manual)
    yield from (f"docs/commands.md: no row for exit code {code}" for code in codes if f"\n| {code} |" not in manual)


def unknown_commands() -> Iterator[str]:
    """Lines of code blocks that call a command or an option of genaug that there is not."""
    for path, page in pages():
        blocks = "".join(re.findall(r"```\w*\n(.*?)```", page, re.DOTALL))
        for line in re.findall(r"^(?:\$ )?genaug (.+)$", blocks, re.MULTILINE):
            words = line.split("#")[0].split()
            command = COMMANDS.get(" ".join(words[:2])) or COMMANDS.get(words[0])
            options = {name for option in command.params for name in option.opts} if command else set()
            if command is None or {word for word in words if word.startswith("-")} - options:
                yield f"{place(path)} calls genaug {line}"


def dead_links() -> Iterator[str]:
    """Links of pages to files that are not there."""
    for path, page in pages():
        targets = (target for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page) if not target.startswith("http"))
        yield from (f"{place(path)} links to {target}" for target in targets if not (path.parent / target).exists())


def other_checks() -> Iterator[str]:
    """Places that promise or run other checks than `make check` and `make test`."""
    (targets,) = re.findall(r"^check: (.+)$", text("Makefile"), re.MULTILINE)
    hooks = [
        hook["entry"] for repo in yaml.safe_load(text(".pre-commit-config.yaml"))["repos"] for hook in repo["hooks"]
    ]
    if hooks != [f"make {target}" for target in targets.split()]:
        yield ".pre-commit-config.yaml runs other targets than make check"
    calls = {
        "README.md": r"^make test\b",
        ".ci/run": r"\bmake check\nmake test$",
        ".github/workflows/check.yml": r"\brun: \.ci/run$",
    }
    for name, call in calls.items():
        if not re.search(call, text(name), re.MULTILINE):
            yield f"{name} does not call {call!r}"
