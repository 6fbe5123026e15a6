"""The app: its commands, its exit codes, and the one place where errors become sentences."""

import errno
import sys
from typing import Annotated

import typer
from typer.exceptions import TyperException

from genaug.cli import console
from genaug.cli.demo import demo
from genaug.cli.evaluate import evaluate
from genaug.cli.inspect import inspect
from genaug.cli.plan import plan
from genaug.cli.plugins import plugins
from genaug.cli.replay import replay
from genaug.cli.report import report
from genaug.cli.run import run
from genaug.cli.sample import sample
from genaug.cli.study import study
from genaug.cli.verify import verify
from genaug.errors import INTERRUPTED_EXIT_CODE, DataError, GenaugError, UsageError, shown
from genaug.version import __version__

_EPILOG = (
    "Exit codes: 0 done · 1 fault of genaug · 2 bad option, name or value · 3 unusable data · 4 unusable output · "
    "5 broken plugin · 6 training failed · 7 some classes failed, all others written · "
    "8 verify found something, or replay differs · 130 interrupted"
)
_BAD_PATHS = (errno.ENAMETOOLONG, errno.ELOOP)  # too long a name, links that lead to each other
_UNREADABLE = (errno.EACCES, errno.EPERM, errno.EIO, errno.ESTALE)  # no right to read it, or a broken disk or network
_INTERRUPTED = "interrupted; run the same command again to continue"

app = typer.Typer(
    name="genaug",
    help="Balance a small image folder with generated images, and find out whether that helped.",
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (demo, evaluate, inspect, plan, replay, report, run, sample, study, verify):
    app.command(no_args_is_help=command in (evaluate, replay, report, sample, verify))(command)
app.add_typer(plugins, name="plugins")


@app.callback(invoke_without_command=True)
def start(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Balance a small image folder with generated images, and find out whether that helped."""
    if version:
        console.say(f"genaug {__version__}")
        raise typer.Exit


def main(arguments: list[str] | None = None) -> None:
    """Run a command; a user's mistake becomes one sentence and a documented exit code, never a traceback."""
    sys.exit(_exit_code(arguments))


def _exit_code(arguments: list[str] | None) -> int:
    try:
        code = int(app(args=arguments, standalone_mode=False) or 0)
        if code == INTERRUPTED_EXIT_CODE:  # typer returns it for Ctrl-C
            console.complain(_INTERRUPTED)
        return code
    except GenaugError as error:
        console.complain(str(error))
        return error.exit_code
    except TyperException as error:
        console.complain(error.format_message())
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        console.complain(_INTERRUPTED)
        return INTERRUPTED_EXIT_CODE
    except Exception as error:
        return _unexpected(error)


def _unexpected(error: Exception) -> int:
    """Tell of a path that no file system takes or that may not be read, else of a fault of genaug, for a bug report."""
    if isinstance(error, OSError) and error.errno in _BAD_PATHS:
        console.complain(f"the path {shown(error.filename)} cannot be used: {error.strerror}; give another one")
        return UsageError.exit_code
    if isinstance(error, OSError) and error.errno in _UNREADABLE and error.filename is not None:
        console.complain(f"{shown(error.filename)} cannot be read: {error.strerror}; make it readable, or copy it")
        return DataError.exit_code
    console.complain_of_fault(error)
    return GenaugError.exit_code
