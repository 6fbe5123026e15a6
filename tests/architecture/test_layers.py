"""Who may use whom: the import contracts of pyproject.toml, core without plugins, plugins with the version of core."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from genaug.version import __version__
from packaging.requirements import Requirement
from torch import nn

from .sources import CORE, PLUGINS, ROOT, assert_none, files, imports, package, parsed, place


def test_nothing_uses_what_stands_above_or_beside_it():
    assert_none(
        (
            *broken_contracts(),
            *core_imports_from_its_own_front(),
            *core_names_a_plugin(),
            *networks_of_one_family(),
            *packages_that_no_tool_checks(),
            *rooms_without_a_layer(),
            *requirements_that_refuse_this_version(),
        )
    )


def broken_contracts() -> Iterator[str]:
    """The report of import-linter, where a contract of pyproject.toml is broken."""
    command = "from importlinter.cli import lint_imports; import sys; sys.exit(lint_imports())"
    done = subprocess.run([sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        yield done.stdout[done.stdout.find("Broken contracts") :] + done.stderr


def core_imports_from_its_own_front() -> Iterator[str]:
    """Modules of core that import public names from `genaug` instead of from the module that defines them."""
    for path in files(CORE):
        for module, name, line in imports(parsed(path)):
            if module == "genaug" and name and not importlib.util.find_spec(f"genaug.{name}"):
                yield f"{place(path, line)} imports {name} from genaug itself"


def core_names_a_plugin() -> Iterator[str]:
    """Imports of plugin packages in core, and import strings such as "genaug_dcgan.plugin"."""
    names = {folder.name for folder in PLUGINS}
    assert "genaug_dcgan" in names
    strings = re.compile(rf"\b({'|'.join(names)})\b")
    for path in files(CORE):
        for module, _, line in imports(parsed(path)):
            if package(module) in names:
                yield f"{place(path, line)} imports {module}"
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and strings.search(node.value):
                yield f"{place(path, node.lineno)} names a plugin package"


def networks_of_one_family() -> Iterator[str]:
    """Networks of genaug.layers that fewer than two families of plugins import; they belong to their plugin."""
    family = families()
    users = defaultdict(set)
    for folder in PLUGINS:
        for path in files(folder):
            for module, name, _ in imports(parsed(path)):
                users[module, name].add(family[folder.name])
    for path in files(CORE / "layers"):
        module = ".".join(path.relative_to(CORE.parent).with_suffix("").parts).removesuffix(".__init__")
        for name, kind in inspect.getmembers(importlib.import_module(module), inspect.isclass):
            if issubclass(kind, nn.Module) and kind.__module__ == module and len(users[module, name]) < 2:
                yield f"{place(path)} defines {name}, which {len(users[module, name])} families import"


def families() -> dict[str, str]:
    """The family of each plugin package, named after the package on which it builds: genaug_cvae -> genaug_vae."""
    names = {folder.name for folder in PLUGINS}
    family = {}
    for folder in PLUGINS:
        found = {package(module) for path in files(folder) for module, _, _ in imports(parsed(path))}
        family[folder.name] = min((found & names) - {folder.name}, default=folder.name)
    assert family["genaug_cvae"] == family["genaug_vae"] != family["genaug_dcgan"]
    return family


def packages_that_no_tool_checks() -> Iterator[str]:
    """Packages of this repository that import-linter or coverage does not know."""
    tools = read(ROOT / "pyproject.toml")["tool"]
    known = {
        "importlinter": tools["importlinter"]["root_packages"],
        "coverage": tools["coverage"]["run"]["source_pkgs"],
    }
    for tool, names in known.items():
        yield from (f"tool.{tool} leaves out {one.name}" for one in (CORE, *PLUGINS) if one.name not in names)


def rooms_without_a_layer() -> Iterator[str]:
    """Modules at the top of core that the layers of pyproject.toml or docs/architecture.md leave out."""
    layers = read(ROOT / "pyproject.toml")["tool"]["importlinter"]["contracts"][0]["layers"]
    ordered = {name for layer in layers for name in re.findall(r"genaug\.(\w+)", layer)}
    table = (ROOT / "docs/architecture.md").read_text("utf-8").partition("## Rooms")[2]
    described = re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE)))
    rooms = {path.stem for path in CORE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    for room in sorted(rooms - {"__init__"}):
        if room not in ordered:
            yield f"genaug.{room} is in no layer of pyproject.toml"
        if described.count(room) != 1:
            yield f"docs/architecture.md describes {room} {described.count(room)} times"


def requirements_that_refuse_this_version() -> Iterator[str]:
    """Requirements of our packages on each other which the version that they share does not satisfy."""
    manifests = [ROOT / "core/pyproject.toml", *ROOT.glob("plugins/*/pyproject.toml")]
    ours = {read(path)["project"]["name"] for path in manifests}
    for path in manifests:
        project = read(path)["project"]
        extras = chain.from_iterable(project.get("optional-dependencies", {}).values())
        for requirement in map(Requirement, (*project["dependencies"], *extras)):
            if requirement.name in ours and not requirement.specifier.contains(__version__, prereleases=True):
                yield f"{place(path)}: {requirement} refuses version {__version__}"


def read(path: Path) -> dict:
    """A TOML file."""
    return tomllib.loads(path.read_text("utf-8"))
