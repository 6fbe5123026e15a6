"""Names: public ones sorted and importable, no class twice, the field's words, each output file named in one module."""

import ast
import importlib
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from .sources import CORE, EXAMPLES, PLUGINS, assert_none, files, parsed, place

# words that only the authors understood, each with what to say instead
PRIVATE = {
    "stem": "source",
    "stems": "sources",
    "kin": "related, near-duplicates",
    "door": "input type",
    "doors": "input types",
    "wish": "request",
    "wishes": "requests",
    "sides": "inputs, sizes",
    "floors": "baselines",
    "members": "images, rows, ...",
    "account": "records",
    "look": "survey, read",
    "made": "generated, created",
    "asked": "requested, configured",
    "guessed": "predicted",
    "told": "given, reported",
    "by_hand": "manual",
}
NAMES_OF_OUTPUT = "output/files.py"  # the one module of core that spells the names of what an output holds
OUTPUT = {
    "classes.json",
    "contact-sheets",
    "croissant.json",
    "evaluation.json",
    "model.json",
    "provenance.jsonl",
    "rejections.jsonl",
    "report.html",
    "run.json",
    "study.json",
    "timings.json",
    "training.yaml",
}


def test_names_are_public_unique_and_the_fields_own(monkeypatch):
    for folder in EXAMPLES:
        monkeypatch.syspath_prepend(str(folder.parent))
    assert_none((*public_names(), *classes_of_one_name(), *private_words(), *output_names()))


def public_names() -> Iterator[str]:
    """What is wrong with the `__all__` of a module."""
    for package in (CORE, *PLUGINS, *EXAMPLES):
        for path in files(package):
            name = ".".join(path.relative_to(package.parent).with_suffix("").parts).removesuffix(".__init__")
            try:
                module = importlib.import_module(name)
            except ImportError as error:
                yield f"{place(path)}: {error}"
                continue
            names = list(getattr(module, "__all__", []))
            if names != sorted(names):
                yield f"{place(path)}: __all__ is not sorted"
            yield from (f"{place(path)}: no {one}, which is in __all__" for one in names if not importable(module, one))
            if path.name == "__init__.py" and names and (exported := exports(parsed(path))) != set(names):
                yield f"{place(path)}: __all__ and the imports differ in {sorted(exported ^ set(names))}"


def importable(module: ModuleType, name: str) -> bool:
    """Whether a module has a name; a lazy module may have to import it first."""
    try:
        return hasattr(module, name)
    except ImportError:
        return False


def exports(tree: ast.Module) -> set[str]:
    """The names that the front of a package imports or defines, those that its `__getattr__` imports too."""
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    lazy = [node for function in functions if function.name == "__getattr__" for node in ast.walk(function)]
    fronts = [node for node in (*tree.body, *lazy) if isinstance(node, ast.ImportFrom)]
    names = {alias.name for node in fronts for alias in node.names} | {function.name for function in functions}
    return names - {"TYPE_CHECKING", "Any", "__dir__", "__getattr__"}


def classes_of_one_name() -> Iterator[str]:
    """Public classes of core and plugins that share a name."""
    places = defaultdict(list)
    for path in files(CORE, *PLUGINS):
        for node in parsed(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(place(path, node.lineno))
    yield from (f"class {name} is defined in {' and '.join(found)}" for name, found in places.items() if len(found) > 1)


def private_words() -> Iterator[str]:
    """Identifiers defined in core, plugins and examples with a word of PRIVATE as a part."""
    assert {word for name in ("AccountOf", "is_made", "_by_hand", "made2") for word in private_parts(name)} == {
        "account",
        "made",
        "by_hand",
    }
    assert not private_parts("overlook_remade_asides")
    for path in files(CORE, *PLUGINS, *EXAMPLES):
        for name, line in ((path.stem, 1), *identifiers(parsed(path))):
            yield from (f"{place(path, line)} {name}: say {PRIVATE[word]}" for word in private_parts(name))


def private_parts(identifier: str) -> list[str]:
    """The words of PRIVATE in an identifier split at underscores and capitals."""
    parts = [part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", identifier)]
    return [word for word in PRIVATE if f"_{word}_" in f"_{'_'.join(parts)}_"]


def identifiers(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Name and line of everything that a module defines: functions, classes, arguments, variables, attributes."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name, node.lineno
            case ast.arg():
                yield node.arg, node.lineno
            case ast.Name(ctx=ast.Store()):
                yield node.id, node.lineno
            case ast.Attribute(value=ast.Name(id="self" | "cls"), ctx=ast.Store()):
                yield node.attr, node.lineno
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name, node.lineno
            case ast.Import() | ast.ImportFrom():
                yield from ((alias.asname, node.lineno) for alias in node.names if alias.asname)


def output_names() -> Iterator[str]:
    """Names of files of an output that are spelt outside NAMES_OF_OUTPUT, or not there."""
    spelt = defaultdict(list)
    for path in files(CORE):
        for name, line in path_parts(parsed(path)):
            if name in OUTPUT:
                spelt[name].append((path.relative_to(CORE).as_posix(), place(path, line)))
    for name in OUTPUT:
        if NAMES_OF_OUTPUT not in {module for module, _ in spelt[name]}:
            yield f"{name} is not spelt in {NAMES_OF_OUTPUT}"
        yield from (f"{where} spells {name}" for module, where in spelt[name] if module != NAMES_OF_OUTPUT)


def path_parts(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The parts, between slashes, of every string that could be a path: text with spaces is a message."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and not re.search(r"\s", node.value):
            yield from ((part, node.lineno) for part in Path(node.value).parts)
