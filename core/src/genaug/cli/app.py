"""The app: its commands, its exit codes, and the one place where errors become sentences."""

import errno
import inspect
import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.exceptions import TyperException

from genaug.cli import console
from genaug.errors import INTERRUPTED_EXIT_CODE, DataError, GenaugError, UsageError, shown, unknown
from genaug.version import __version__

_EPILOG = (
    "Exit codes: 0 done · 1 fault of genaug · 2 bad option, name or value · 3 unusable data · 4 unusable output · "
    "5 broken plugin · 6 training failed · 7 some classes failed, all others written · "
    "8 verify found something, or replay differs · 130 interrupted"
)
_BAD_PATHS = (errno.ENAMETOOLONG, errno.ELOOP)  # too long a name, links that lead to each other
_UNREADABLE = (errno.EACCES, errno.EPERM, errno.EIO, errno.ESTALE)  # no right to read it, or a broken disk or network
_INTERRUPTED = "interrupted; run the same command again to continue"

_COMMANDS = {  # in the order in which people need them; each is in the module of its name
    "inspect": "Show what is in a folder of images, and what may be wrong with it.",
    "init": "Answer five questions, and get a config file for `genaug run`.",
    "split": "Set a test split aside, near-duplicates together.",
    "study": "Find out whether synthetic images help on your folder.",
    "train": "Train the classifier that a study recommends.",
    "predict": "Write the class probabilities of images, by a trained classifier.",
    "run": "Train a generator and write a balanced data set.",
    "plan": "Show what `genaug run` would do and cost.",
    "evaluate": "Score synthetic images beside real ones.",
    "verify": "Find files of an output that were changed, lost or added.",
    "report": "Write the page that shows an output.",
    "sample": "Draw more images from a trained model.",
    "replay": "Draw an image again and compare it byte for byte.",
    "plugins": "List generators, metrics and selectors; show, write or test one.",
    "demo": "Balance scikit-learn's digits and score a classifier.",
}
_HELP = {"help_option_names": ["-h", "--help"]}


Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Also say how long each stage took, and show the traceback of an error.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only the answer and errors: no notes, no progress.")]


def with_loudness(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options --verbose and --quiet, which no command needs to know of."""

    def command(verbose: bool = False, quiet: bool = False, **given: Any) -> int:
        console.set_loudness(verbose=verbose, quiet=quiet)
        return function(**given)

    signature = inspect.signature(function)
    kind = inspect.Parameter.KEYWORD_ONLY
    added = [
        inspect.Parameter(name, kind, default=False, annotation=option)
        for name, option in (("verbose", Verbose), ("quiet", Quiet))
    ]
    parameters = [one.replace(kind=kind) for one in signature.parameters.values()]
    command.__name__, command.__doc__, command.__module__ = function.__name__, function.__doc__, function.__module__
    command.__signature__ = inspect.Signature([*parameters, *added], return_annotation=int)  # type: ignore[attr-defined]
    command.__annotations__ = {one.name: one.annotation for one in (*parameters, *added)} | {"return": int}
    return command


class HelpfulCommand(TyperCommand):
    """A command whose help names the generators and selectors that are installed, and no types of Python."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, then the options."""
        for title, wanted in (("Arguments", False), ("Options", True)):
            shown = [one for one in self.get_params(ctx) if isinstance(one, TyperOption) is wanted]
            rows = [row for one in shown if (row := _help_row(one, ctx)) is not None]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


def _help_row(one: Any, context: Any) -> tuple[str, str] | None:
    """The words and the help of an argument or option."""
    row = one.get_help_record(context)
    if row is None:
        return None
    words, text = row
    if not isinstance(one, TyperOption):
        return words.partition(" <")[0], text  # the rest names a type
    return words, f"{text} {_installed(one.name)}" if one.name in ("generator", "select") else text


def _installed(option: str) -> str:
    from genaug.registry import load_registry

    registry = load_registry()
    shelf = registry.generators if option == "generator" else registry.selectors
    return f"Installed: {', '.join(shelf.names())}."


class Commands(TyperGroup):
    """The commands. The module of a command is loaded when the command is used, so that the list of all is quick."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Their names."""
        return [*_COMMANDS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name; raises UsageError if there is none."""
        if cmd_name not in _COMMANDS:
            raise unknown("command", cmd_name, _COMMANDS)
        found = getattr(import_module(f"genaug.cli.{cmd_name}"), cmd_name)
        if isinstance(found, typer.Typer):
            return typer.main.get_command(found)
        alone = typer.Typer(add_completion=False, rich_markup_mode=None, context_settings=_HELP)
        alone.command(cmd_name, cls=HelpfulCommand)(with_loudness(found))
        return typer.main.get_command(alone)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands."""
        with formatter.section("Commands"):
            formatter.write_dl([*_COMMANDS.items()])


app = typer.Typer(
    cls=Commands,
    name="genaug",
    help="Balance a small image folder with generated images, and find out whether that helped.",
    epilog=_EPILOG,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings=_HELP,
)


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Balance a small image folder with generated images, and find out whether that helped."""
    console.set_loudness(verbose=verbose, quiet=quiet)
    if version:
        console.say(f"genaug {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: list[str] | None = None) -> None:
    """Run a command; a user's mistake becomes one sentence and a documented exit code, never a traceback."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # see docs/commands.md; it counts only before torch is loaded
    sys.exit(_exit_code(arguments))


def _exit_code(arguments: list[str] | None) -> int:
    console.reset_loudness()
    try:
        code = int(app(args=arguments, prog_name="genaug", standalone_mode=False) or 0)
        if code == INTERRUPTED_EXIT_CODE:  # typer returns it for Ctrl-C
            console.complain(_INTERRUPTED)
        return code
    except GenaugError as error:
        return _ended(str(error), error, error.exit_code)
    except TyperException as error:
        return _ended(_with_help(error), error, error.exit_code)
    except (KeyboardInterrupt, typer.Abort) as error:
        return _ended(_INTERRUPTED, error, INTERRUPTED_EXIT_CODE)
    except Exception as error:
        return _unexpected(error)


def _ended(sentence: str, error: BaseException, code: int) -> int:
    console.complain(sentence)
    console.show_traceback(error)
    return code


def _with_help(error: TyperException) -> str:
    """What is wrong with the words of a command, and where to read on."""
    context = getattr(error, "ctx", None)
    text = error.format_message()
    return text if context is None else f"{text.rstrip('.')}. See: {context.command_path} --help"


def _unexpected(error: Exception) -> int:
    """Tell of a path that no file system takes or that may not be read, else of a fault of genaug, for a bug report."""
    if isinstance(error, OSError) and error.errno in _BAD_PATHS:
        sentence = f"the path {shown(error.filename)} cannot be used: {error.strerror}; give another one"
        return _ended(sentence, error, UsageError.exit_code)
    if isinstance(error, OSError) and error.errno in _UNREADABLE and error.filename is not None:
        sentence = f"{shown(error.filename)} cannot be read: {error.strerror}; make it readable, or copy it"
        return _ended(sentence, error, DataError.exit_code)
    console.complain_of_fault(error)
    return GenaugError.exit_code
