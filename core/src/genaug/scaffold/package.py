"""The files of a new plugin's package, from templates."""

import re
from datetime import date
from pathlib import Path
from typing import Any, Literal, get_args

from jinja2 import Environment, PackageLoader, StrictUndefined

from genaug.errors import OutputError, PluginError, UsageError, shown
from genaug.hookspecs import API_VERSION
from genaug.registry import Registry, Shelf
from genaug.storage import make_folder, write_text
from genaug.version import __version__

Kind = Literal["generator", "metric", "selector"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_PREFIX = "genaug-"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST_NAME = 30
_FILES = {  # file of the package -> its template
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    "LICENSE": "LICENSE",
    ".gitignore": "gitignore",
    ".github/workflows/check.yml": "check.yml",
    "src/{module}/__init__.py": "init.py",
    "src/{module}/py.typed": "py.typed",
    "src/{module}/plugin.py": "{kind}/plugin.py",
    "src/{module}/{kind}.py": "{kind}/{kind}.py",
    "tests/test_contract.py": "{kind}/test_contract.py",
    "tests/test_{kind}.py": "{kind}/test_{kind}.py",
}


def write_package(name: str, kind: Kind, registry: Registry, out: Path | None = None) -> Path:
    """Write the package of a new plugin and return its folder.

    name: what users will write, such as `-g name`; the distribution is genaug-name. registry: what is installed, so
    that no name is used twice. out: the folder; genaug-name in the current one if None.
    Raises UsageError for a name that cannot be used, OutputError if the folder exists or cannot be written.
    """
    _check_name(name, registry)
    folder = Path(_PREFIX + name) if out is None else out
    if folder.exists() or folder.is_symlink():
        raise OutputError(f"{folder} exists already; move it away, or give another --out")
    values = {"name": name, "kind": kind, "module": f"{_PREFIX}{name}".replace("-", "_"), "API": API_VERSION}
    values |= {"bounds": _bounds(), "year": date.today().year}
    templates = _templates()
    for path, template in _FILES.items():
        target = folder / path.format(**values)
        make_folder(target.parent)
        write_text(target, templates.get_template(f"{template.format(**values)}.jinja").render(values))
    return folder


def _check_name(name: str, registry: Registry) -> None:
    if name.startswith(_PREFIX):
        raise UsageError(f"the package is called {_PREFIX}NAME by itself; leave out {_PREFIX!r}, got {shown(name)}")
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise UsageError(
            f"expected a name of at most {_LONGEST_NAME} small letters, digits and single dashes, which begins with a "
            f"letter, such as my-model; got {shown(name)}"
        )
    if _is_taken(name, registry):
        raise UsageError(f"a plugin called {name!r} is installed already; choose another name (see: genaug plugins)")


def _is_taken(name: str, registry: Registry) -> bool:
    """Whether a plugin, its entry point or its distribution has this name, that of a broken one too."""
    shelves: list[Shelf[Any]] = [registry.generators, registry.metrics, registry.selectors]
    sources = [fault.source for fault in registry.faults]
    sources += [shelf.source(known) for shelf in shelves for known in shelf.names()]
    distributions = {source.distribution.lower().replace("_", "-").removeprefix(_PREFIX) for source in sources}
    entry_points = {source.entry_point for source in sources}
    return name in distributions | entry_points or any(_is_known(shelf, name) for shelf in shelves)


def _is_known(shelf: Shelf[Any], name: str) -> bool:
    """Whether one plugin or more use this name."""
    try:
        shelf.get(name)
    except UsageError:
        return False
    except PluginError:  # two plugins claim it
        return True
    return True


def _bounds() -> str:
    """The versions of genaug that a plugin written for this one may use: those with the same first two numbers."""
    major, minor = map(int, __version__.split(".")[:2])
    return f">={major}.{minor},<{major}.{minor + 1}"


def _templates() -> Environment:
    """The templates; their marks are not those of a GitHub workflow."""
    return Environment(
        loader=PackageLoader("genaug.scaffold", "templates"),
        variable_start_string="<<",
        variable_end_string=">>",
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,
    )
