"""Plugins and their tests use the plugin surface alone: the modules listed in pyproject.toml and their `__all__`."""

import ast
import inspect
import tomllib
from collections.abc import Iterator
from importlib import import_module

from .sources import ROOT, assert_none, imports, package, parsed, place

SURFACE = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["genaug"]["plugin_surface"]
# code -> whether a plugin may contain it
PLANTED = {
    "from genaug.config import option": True,
    "from genaug_vae.config import AutoencoderConfig": True,
    "from genaug.config import read_file": False,
    "from genaug import config": False,
    "import genaug.config": False,
    "def late():\n    from genaug.training import train": False,
}


def test_plugins_and_their_tests_import_public_names_alone():
    assert {code: not list(private_imports(ast.parse(code))) for code in PLANTED} == PLANTED
    paths = [*ROOT.glob("plugins/**/*.py"), *ROOT.glob("examples/third_party/**/*.py")]
    assert {"genaug-gmmn", "genaug-sharpness", "cvae"} <= {part for path in paths for part in path.parts}
    found = ((path, *one) for path in paths for one in private_imports(parsed(path)))
    assert_none(f"{place(path, line)} imports {name}, which is not public" for path, name, line in found)


def private_imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Name and line of imports outside the surface. `import genaug.x` counts, because it hides which names are used."""
    for module, name, line in imports(tree):
        if package(module) == "genaug" and (module not in SURFACE or name not in import_module(module).__all__):
            yield f"{module} {name}".strip(), line


def test_public_modules_have_a_sorted_all_and_a_docstring_for_each_name():
    assert sorted(set(SURFACE)) == SURFACE
    assert_none(faults())


def faults() -> Iterator[str]:
    """Public modules without a sorted `__all__`, and classes, functions and methods without a docstring."""
    for module in map(import_module, SURFACE):
        if list(module.__all__) != sorted(module.__all__):
            yield f"{module.__name__}.__all__ is not sorted"
        for name in module.__all__:
            value = getattr(module, name)
            methods = vars(value).items() if inspect.isclass(value) else ()
            parts = [
                one
                for key, one in methods
                if key[0] != "_" and (inspect.isroutine(one) or inspect.isdatadescriptor(one))
            ]
            is_code = inspect.isclass(value) or inspect.isfunction(value)
            yield from (
                f"{module.__name__}.{name}: {one}" for one in (value, *parts) if is_code and not inspect.getdoc(one)
            )
