"""The house as DESIGN draws it: layers, public names, plugin names, sizes, and nothing of one machine."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "core/src"
SOURCES = [CORE, *sorted(ROOT.glob("plugins/*/src")), *sorted(ROOT.glob("examples/third_party/*/src"))]
FILES = [path for source in SOURCES for path in sorted(source.rglob("*.py"))]
IDS = [str(path.relative_to(ROOT)) for path in FILES]


def module_name(path: Path) -> str:
    source = next(source for source in SOURCES if path.is_relative_to(source))
    return ".".join(path.relative_to(source).with_suffix("").parts).removesuffix(".__init__")


def test_layers_hold():
    command = "from importlinter.cli import lint_imports; import sys; sys.exit(lint_imports())"
    done = subprocess.run([sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_core_names_no_plugin_package_not_even_in_a_string():
    packages = [path.name for path in ROOT.glob("plugins/*/src/*") if path.is_dir()]
    names = {name for package in packages for name in (package, package.replace("_", "-"), package.partition("_")[2])}
    assert names >= {"genaug_dcgan", "genaug-dcgan", "dcgan"}
    for path in CORE.rglob("*.py"):
        words = set(re.findall(r"[\w-]+", path.read_text("utf-8").lower()))
        assert not words & names, f"{path.relative_to(ROOT)} names {words & names}"


def test_every_plugin_of_the_tree_is_checked():
    settings = (ROOT / "pyproject.toml").read_text("utf-8")
    for folder in ROOT.glob("plugins/*/src/*"):
        assert settings.count(f'"{folder.name}"') >= 2, f"{folder.name} is missing in pyproject.toml"


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_core_never_imports_from_the_door(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "genaug" and path.is_relative_to(CORE):
            for alias in node.names:
                assert importlib.util.find_spec(f"genaug.{alias.name}"), f"{path}:{node.lineno} imports from the door"


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_public_names_are_sorted_and_importable(path, monkeypatch):
    monkeypatch.syspath_prepend(str(next(source for source in SOURCES if path.is_relative_to(source))))
    module = importlib.import_module(module_name(path))
    names = getattr(module, "__all__", [])
    assert list(names) == sorted(names)
    assert all(hasattr(module, name) for name in names)
    if path.name == "__init__.py" and names:
        tree = ast.parse(path.read_text("utf-8"))
        functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
        lazy = [node for function in functions if function.name == "__getattr__" for node in ast.walk(function)]
        imports = [node for node in (*tree.body, *lazy) if isinstance(node, ast.ImportFrom)]
        public = {alias.name for node in imports for alias in node.names}
        public |= {function.name for function in functions if function.name != "__getattr__"}
        assert public - {"TYPE_CHECKING", "Any"} == set(names)


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_files_and_functions_stay_small(path):
    text = path.read_text("utf-8")
    assert text.count("\n") <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 50, f"{node.name} is too long"


def test_nothing_of_one_machine_is_written_down():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    hosts = "|".join(["py" + r"pi\.org", "python" + "hosted", "registry" + r"\.npmjs", "deb" + r"\.debian"])
    place = re.compile(rf"({hosts}|(^|[^\w.])/({'wo' + 'rk'}|root|home)/\w)", re.MULTILINE)
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.is_file():
            assert path.stat().st_size < 1_000_000, name
            found = place.search(path.read_text("utf-8", "replace"))
            assert found is None, f"{name}: {found and found[0]!r}"
