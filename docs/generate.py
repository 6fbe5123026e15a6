"""Writes the tables of README.md and docs/ from the code; the tests check that they are current."""

from collections.abc import Callable, Iterable
from pathlib import Path

from genaug.cli.app import app
from genaug.config import AugmentationConfig, Closed, RunConfig, TrainConfig
from genaug.mixing.recipe import RecipeConfig
from genaug.registry import GeneratorDescription, SelectorDescription, load_registry
from genaug.study.settings import StudyConfig
from typer.main import get_command

ROOT = Path(__file__).parents[1]


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
    for name, command in sorted(get_command(app).commands.items()):  # type: ignore[attr-defined] # a group
        rows = [
            [f"`{', '.join(option.opts)}`", option.help or ""]
            for option in command.params
            if option.param_type_name == "option" and "--help" not in option.opts
        ]
        parts.append(f"### genaug {name}\n\n{table(('option', 'meaning'), rows)}")
    return "\n\n".join(parts)


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
    return "\n\n".join(f"## {title}\n\n{_fields(kind)}" for title, kind in sections)


def _fields(kind: type[Closed]) -> str:
    from genaug.cli.plugins import bounds

    found = kind.model_json_schema()["properties"].items()
    rows = (
        [f"`{key}`", f"`{field.get('default')}`", bounds(field), field.get("unit", ""), field["description"]]
        for key, field in found
    )
    return table(("key", "default", "bounds", "unit", "meaning"), rows)


BLOCKS: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {"generators": generators},
    "docs/commands.md": {"options": options},
    "docs/settings.md": {"settings": settings},
}


def current(name: str) -> str:
    """A page as it should be."""
    text = (ROOT / name).read_text("utf-8")
    for block, make in BLOCKS[name].items():
        start = f"<!-- {block}: made by docs/generate.py -->\n"
        before, after = text.split(start)
        text = before + start + make() + "\n" + after[after.index("<!-- end -->") :]
    return text


if __name__ == "__main__":
    for page in BLOCKS:
        (ROOT / page).write_text(current(page), "utf-8")
