"""The source files that the architecture tests read, and one way to report all that they find."""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
CORE = ROOT / "core/src/genaug"
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/src/*/__init__.py"))
EXAMPLES = sorted(path.parent for path in ROOT.glob("examples/third_party/*/src/*/__init__.py"))


def files(*packages: Path) -> list[Path]:
    """Every Python file of these packages."""
    return [path for package in packages for path in sorted(package.rglob("*.py"))]


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text("utf-8"))


def place(path: Path, line: int | None = None) -> str:
    """A file, or a line of it, as it is named in a message."""
    return str(path.relative_to(ROOT)) + (f":{line}" if line else "")


def imports(tree: ast.AST) -> Iterator[tuple[str, str, int]]:
    """Module, name and line of every import, those inside functions too; the name is empty after a plain `import`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "", node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.module, alias.name, node.lineno) for alias in node.names)


def package(module: str) -> str:
    """The top-level package of a module."""
    return module.partition(".")[0]


def assert_none(found: Iterable[str]) -> None:
    """Fail with a list of all that was found, one a line."""
    lines = sorted(set(found))
    assert not lines, "\n" + "\n".join(lines)
