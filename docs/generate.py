"""Writes the tables of README.md and docs/ and the API reference from the code; a test checks that they are current."""

import ast
import inspect
import re
import textwrap
import tomllib
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from genaug.cli.app import app
from genaug.config import AugmentationConfig, Closed, TrainConfig
from genaug.hookspecs import GeneratorDescription, SelectorDescription
from genaug.mixing.recipe import RecipeConfig
from genaug.registry import load_registry
from genaug.run.config import RunConfig
from genaug.studies.settings import StudyConfig
from typer.main import get_command

ROOT = Path(__file__).parents[1]
SURFACE: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["genaug"]["plugin_surface"]
_KINDS = {
    "abstractmethod": "abstract",
    "cached_property": "property",
    "classmethod": "class method",
    "contextmanager": "context manager",
    "property": "property",
}


def bundled() -> list[GeneratorDescription]:
    """The generators of this repository, whatever else is installed, best rank first."""
    own = {"genaug", *(f"genaug-{path.parent.name}" for path in ROOT.glob("plugins/*/pyproject.toml"))}
    shelf = load_registry().generators
    mine = [shelf.get(name) for name in shelf.names() if shelf.source(name).distribution in own]
    return sorted(mine, key=lambda description: description.rank)


def selectors() -> list[SelectorDescription]:
    """Core's own selectors."""
    shelf = load_registry().selectors
    return [shelf.get(name) for name in shelf.names() if shelf.source(name).distribution == "genaug"]


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    cells = [list(head), *([text.replace("|", "\\|") for text in row] for row in rows)]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    return "\n".join([lines[0], f"|{'---|' * len(cells[0])}", *lines[1:]])


def generators() -> str:
    """The table of generators."""
    rows = (
        (
            f"`{one.name}`",
            "one for all classes" if one.conditioning == "class" else "one per class",
            one.summary,
            str(one.needs.least_images),
            ", ".join(sorted(one.presets)),
        )
        for one in bundled()
    )
    return table(("generator", "models", "what it is", "least images per class", "presets"), rows)


def options() -> str:
    """Every option of every command."""
    parts = []
    for name, command in sorted(_commands()):
        rows = [
            [f"`{', '.join(option.opts)}`", option.help or ""]
            for option in command.params
            if option.param_type_name == "option" and "--help" not in option.opts
        ]
        parts.append(f"### genaug {name}\n\n{table(('option', 'meaning'), rows)}")
    return "\n\n".join(parts)


def _commands() -> Iterator[tuple[str, Any]]:
    """Every command by name; those of a group of commands too."""
    group: Any = get_command(app)
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        yield name, command
        yield from ((f"{name} {part}", inner) for part, inner in getattr(command, "commands", {}).items())


_NOTES: dict[type[Closed], str] = {
    RecipeConfig: (
        "Write these in the text of `--recipe`, such as `cap=0.5,weight=0.3`, or as a table in a config file:\n"
        "`recipe: {cap: 0.5, weight: 0.3}`."
    ),
    StudyConfig: (
        "These are options of the command (`recipes` is `--recipe`), and in Python fields of `StudyConfig`. They\n"
        "cannot be written into a config file. `alone` can be set only in Python."
    ),
}


def settings() -> str:
    """Every key of a config file and every setting of every generator."""
    sections: list[tuple[str, type[Closed]]] = [
        ("Keys of a config file", RunConfig),
        ("`recipe`", RecipeConfig),
        ("`genaug study`", StudyConfig),
        ("`train`", TrainConfig),
        ("`augmentation`", AugmentationConfig),
        *((f"`model` of `{one.name}`", one.config) for one in bundled() if one.config.model_fields),
        *((f"selector `{one.name}`", one.config) for one in selectors() if one.config.model_fields),
    ]
    parts = ((f"## {title}", _NOTES.get(kind, ""), _fields(kind)) for title, kind in sections)
    return "\n\n".join("\n\n".join(filter(None, part)) for part in parts)


def _fields(kind: type[Closed]) -> str:
    from genaug.cli.plugins import bounds

    found = kind.model_json_schema()["properties"].items()
    rows = (
        [f"`{key}`", f"`{field.get('default')}`", bounds(field), field.get("unit", ""), field["description"]]
        for key, field in found
    )
    return table(("key", "default", "bounds", "unit", "meaning"), rows)


def surface() -> str:
    """The imports that the contract of import-linter allows plugins."""
    return "\n".join(f'    "** -> {name}",' for name in SURFACE)


def api() -> str:
    """The reference of the modules that plugins may import, with a table of contents."""
    modules = [import_module(name) for name in SURFACE]
    contents = [f"- {_link(one.__name__)}: {', '.join(map(_link, one.__all__))}" for one in modules]
    return "\n\n".join(["\n".join(contents), *map(_module, modules)])


def _link(name: str) -> str:
    return f"[{name}](#{name.lower().replace('.', '')})"


def _module(module: ModuleType) -> str:
    entries = [_entry(module, name) for name in module.__all__]
    return "\n\n".join([f"## {module.__name__}", _prose(inspect.getdoc(module)), *entries])


def _entry(module: ModuleType, name: str) -> str:
    """The heading, code and docstring of one public name."""
    value = getattr(module, name)
    home = inspect.getmodule(value) if inspect.isclass(value) or inspect.isfunction(value) else module
    body = ast.parse(inspect.getsource(home)).body
    place = next(i for i, node in enumerate(body) if name in _names(node))
    node, after = body[place], body[place + 1 : place + 2]
    if isinstance(node, ast.ClassDef):
        parts = _class(node, value)
    elif isinstance(node, ast.FunctionDef):
        parts = [_code(_signature(node)), _prose(ast.get_docstring(node), _arguments(node))]
    else:  # the docstring of a value is the text after it
        parts = [_code(ast.unparse(node)), _prose(ast.literal_eval(after[0].value))]
    return "\n\n".join([f"### {name}", *filter(None, parts)])


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        return [node.name]
    return [target.id for target in getattr(node, "targets", []) if isinstance(target, ast.Name)]


def _class(node: ast.ClassDef, kind: type) -> list[str]:
    """Attributes and constructor as code, the docstring, a table of settings, and a list of methods."""
    fields = [
        one for one in node.body if isinstance(one, ast.AnnAssign) and not ast.unparse(one.target).startswith("_")
    ]
    settings = [one for one in fields if one.value and ast.unparse(one.value).startswith("option(")]
    methods = [one for one in node.body if isinstance(one, ast.FunctionDef)]
    constructor = [one for one in methods if one.name == "__init__"]
    lines = [ast.unparse(one) for one in fields if one not in settings] + [_signature(one) for one in constructor]
    head = [f"@{ast.unparse(one)}" for one in node.decorator_list]
    bases = f"({', '.join(map(ast.unparse, node.bases))})" if node.bases else ""
    code = "\n".join([*head, f"class {node.name}{bases}:", *(f"    {line}" for line in lines or ["..."])])
    shown = [_method(one) for one in methods if not one.name.startswith("_")]
    return [
        _code(code),
        _prose(ast.get_docstring(node), _attributes(kind, constructor)),
        _fields(kind) if settings else "",
        "\n\n".join(["Methods and properties:", *shown]) if shown else "",
    ]


def _attributes(kind: type, constructor: list[ast.FunctionDef]) -> set[str]:
    """What a class's docstring may describe: attributes, inherited ones too, and arguments of the constructor."""
    declared = {name for base in kind.__mro__ for name in vars(base).get("__annotations__", {})}
    assigned = {one.attr for method in constructor for one in ast.walk(method) if isinstance(one, ast.Attribute)}
    return declared.union(assigned, *map(_arguments, constructor))


def _method(node: ast.FunctionDef) -> str:
    kinds = [_KINDS[name] for name in map(ast.unparse, node.decorator_list) if name in _KINDS]
    head = _signature(node).removeprefix("def ").replace("(self, ", "(").replace("(cls, ", "(").replace("(self)", "()")
    if "property" in kinds:
        head = head.replace("() -> ", ": ")
    if node.name.startswith("test_"):
        head = node.name
    note = f" ({', '.join(kinds)})" if kinds else ""
    text = textwrap.indent(_prose(ast.get_docstring(node), _arguments(node)), "  ")
    return f"- `{head}`{note}\n\n{text}"


def _signature(node: ast.FunctionDef) -> str:
    """The first line of a function."""
    arguments = re.sub(r"(?<=\S)=(?=\S)", " = ", ast.unparse(node.args))
    returns = f" -> {ast.unparse(node.returns).strip(chr(39))}" if node.returns else ""
    return f"def {node.name}({arguments}){returns}"


def _arguments(node: ast.FunctionDef) -> list[str]:
    return [one.arg for one in (*node.args.args, *node.args.kwonlyargs)]


def _code(text: str) -> str:
    """Python between fences; long lines are broken after commas."""
    glued = [line.replace(" ", "\0").replace(",\0", ", ") for line in text.split("\n")]
    lines = [textwrap.fill(line, 100, subsequent_indent=" " * 8, break_on_hyphens=False) for line in glued]
    return "\n".join(["```py", *lines, "```"]).replace("\0", " ")


def _prose(docstring: str | None, names: Iterable[str] = ()) -> str:
    """A docstring as Markdown: `name: meaning` becomes a list where the name is an attribute or argument."""
    parts = []
    for text in inspect.cleandoc(docstring or "").split("\n\n"):
        if text.startswith("    "):
            parts.append(f"```text\n{textwrap.dedent(text)}\n```")
        else:
            parts += _paragraph(" ".join(text.split()), set(names))
    return "\n\n".join(parts)


def _paragraph(text: str, names: set[str]) -> list[str]:
    one = "|".join(map(re.escape, sorted(names))) or "(?!)"
    pieces = re.split(rf"(?:^|(?<=[.:;] ))((?:{one})(?:, (?:{one}))*): ", text)
    items = zip(pieces[1::2], pieces[2::2], strict=True)
    shown = "\n".join(f"- `{'`, `'.join(name.split(', '))}`: {_escaped(meaning.strip())}" for name, meaning in items)
    return [part for part in (_escaped(pieces[0].strip()), shown) if part]


def _escaped(text: str) -> str:
    """Text whose asterisks and angle brackets stay as they are, but for code between backticks."""
    parts = text.split("`")
    return "`".join(re.sub(r"([*<])", r"\\\1", part) if i % 2 == 0 else part for i, part in enumerate(parts))


BLOCKS: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {"generators": generators},
    "docs/api.md": {"api": api},
    "docs/commands.md": {"options": options},
    "docs/settings.md": {"settings": settings},
    "pyproject.toml": {"surface": surface},
}


def current(name: str) -> str:
    """The text that a file should have."""
    text = (ROOT / name).read_text("utf-8")
    mark = "    # {}\n" if name.endswith(".toml") else "<!-- {} -->\n"
    for block, make in BLOCKS[name].items():
        start = mark.format(f"{block}: made by docs/generate.py")
        before, after = text.split(start)
        text = before + start + make() + "\n" + after[after.index(mark.format("end")) :]
    return text


if __name__ == "__main__":
    for page in BLOCKS:
        (ROOT / page).write_text(current(page), "utf-8")
