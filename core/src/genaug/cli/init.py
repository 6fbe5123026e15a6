"""genaug init: asks five questions and writes a config file."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml

from genaug.cli import console
from genaug.cli import options as given
from genaug.errors import GenaugError, OutputError, UsageError
from genaug.run.config import RunConfig
from genaug.run.settings import known_request, run_config
from genaug.storage import write_text
from genaug.targets.plan import plan_images

if TYPE_CHECKING:
    from genaug.registry import Registry

Data = Annotated[
    Path | None, typer.Argument(metavar="DATA", help="Folder of class folders, or of train/ and test/ folders of them.")
]
FileOut = Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The file to write.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: take the defaults of what is left out.")]

_EVEN, _FILES, _NO_LIMIT = "even", "files", "none"
_ANSWERS = "DATA, --generator, --per-class or --balance, --train-size and --budget"


@given.with_run_options("generator", "per_class", "balance", "train_size", "budget")
def init(
    data: Data = None,
    *,
    options: given.RunOptions,
    out: FileOut = Path("run.yaml"),
    yes: Yes = False,
    as_json: given.Json = False,
) -> int:
    """Answer five questions about your data set, and get a config file for `genaug run`.

    An answer that is given as an option is not asked for. Nothing is trained.
    """
    from genaug.registry import load_registry

    if out.exists():
        raise OutputError(f"{out} exists already; give another --out, or remove it")
    answers = {key: value for key, value in options.values.items() if value is not None}
    if data is not None:
        answers["data"] = _data(str(data))["data"]
    registry = load_registry()
    for question in _questions(registry):
        if not answers.keys() & question.keys:
            answers |= question.answer(yes=yes)
    folder = answers.pop("data")
    _checked(answers, registry)
    command = f"genaug run {quote(folder)} --config {quote(str(out))}"
    write_text(out, _text(answers, command))
    if as_json:
        console.answer_json({"config": str(out), "command": command})
    else:
        console.say(f"config file: {out}")
        console.say(f"next: {command}")
    return 0


class _Question:
    """One question. keys: those that an answer gives. read: turns the answer into keys; raises GenaugError."""

    def __init__(self, keys: set[str], text: str, default: str, read: Callable[[str], Mapping[str, Any]]) -> None:
        self.keys, self._text, self._default, self._read = keys, text, default, read

    def answer(self, *, yes: bool) -> Mapping[str, Any]:
        """The keys of the answer; asked again until it can be used."""
        if yes:
            return self._read(self._default)
        if not sys.stdin.isatty():
            raise UsageError(f"there is no terminal to ask in; give {_ANSWERS}, or --yes for the defaults of the rest")
        while True:
            text = typer.prompt(self._text, default=self._default, err=True)
            try:
                return self._read(str(text).strip())
            except GenaugError as error:
                console.complain(str(error))


def _questions(registry: "Registry") -> list[_Question]:
    names = ", ".join(registry.generators.names())
    return [
        _Question({"data"}, "1/5 Folder of your images (class folders)", ".", _data),
        _Question(
            {"generator"},
            f"2/5 Generator ({names})",
            registry.default_generator(),
            lambda text: _checked({"generator": text}, registry),
        ),
        _Question(
            {"per_class", "balance"},
            "3/5 New images: even (a quarter of each class), max (fill up to the largest class), or a number per class",
            _EVEN,
            lambda text: _checked(_images(text), registry),
        ),
        _Question(
            {"train_size"},
            "4/5 Size at which you will train your classifier, in pixels, or files for that of your files",
            _FILES,
            lambda text: _checked({} if text == _FILES else {"train_size": text}, registry),
        ),
        _Question(
            {"budget"},
            "5/5 Time that a run may take, such as 30m or 2h, or none for no limit",
            _NO_LIMIT,
            lambda text: _checked({} if text == _NO_LIMIT else {"budget": text}, registry),
        ),
    ]


def _data(text: str) -> dict[str, Any]:
    """The folder, if there are classes in it; raises DataError."""
    from genaug.data.scan import scan

    scan(Path(text).expanduser())
    return {"data": str(Path(text).expanduser())}


def _images(text: str) -> dict[str, Any]:
    if text == _EVEN:
        return {}
    return {"per_class": text} if text.isdecimal() else {"balance": text}


def _checked(answers: dict[str, Any], registry: "Registry") -> dict[str, Any]:
    """The answers, if they make a config; raises UsageError."""
    config = run_config(answers, {}, registry, "your answer")
    known_request(config, registry)
    plan_images({"any": 1}, config)
    return answers


def _text(answers: Mapping[str, Any], command: str) -> str:
    """The file: each key below what it means."""
    lines = [f"# {command}", "# All keys: docs/settings.md, and `genaug run --help`", ""]
    for key, value in answers.items():
        number = int(value) if key in ("per_class", "train_size") else value
        lines += [f"# {RunConfig.model_fields[key].description}", yaml.safe_dump({key: number}).rstrip(), ""]
    return "\n".join(lines)
