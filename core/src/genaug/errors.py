"""The tree of errors that genaug raises, each with the exit code of the commands.

    GenaugError            1   base class; raised itself, it means a bug in genaug
    ├── UsageError         2   an unknown name, key or value in a command, a call or a config file
    ├── DataError          3   the input cannot be used; nothing was written
    ├── OutputError        4   the output cannot be used or written; existing files are unchanged
    ├── PluginError        5   a plugin is broken, has the name of another one, or violates its contract
    └── TrainingError      6   no class could be trained

Exit code 0 means success; 7 a run in which some classes failed and all others were written; 8 an output that differs
from what was written, or an image that cannot be reproduced bit for bit; 130 an interrupt by Ctrl-C.
"""

import errno
import logging
import os
import re
import sys
import traceback
import unicodedata
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from importlib.metadata import entry_points
from pathlib import Path
from traceback import walk_tb
from types import FrameType

__all__ = ["DataError", "GenaugError", "OutputError", "PluginError", "TrainingError", "UsageError"]

PARTIAL_EXIT_CODE = 7
DIFFERENT_EXIT_CODE = 8
INTERRUPTED_EXIT_CODE = 130
TRACEBACK = "GENAUG_TRACEBACK"  # environment variable
LONGEST = 200  # characters of a value in a message
_LONGEST_REASON = 300
_CORE = Path(__file__).parent
_BELOW = {"torch", "pluggy", "importlib"}
_CONTROLS = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_FOLDERS = re.compile(
    r"(?<![\w.:/\\~-])(?:/|[A-Za-z]:[\\/])(?:[^\s/\\'\":,;]+[/\\])+"
)  # all of an absolute path but its name


class GenaugError(Exception):
    """Base class of all errors that genaug raises on purpose; the message says what is wrong and what to do."""

    exit_code = 1


class UsageError(GenaugError):
    """An unknown name, key or value in a command, a call or a config file."""

    exit_code = 2


class DataError(GenaugError):
    """The input cannot be used; nothing was written."""

    exit_code = 3


class OutputError(GenaugError):
    """The output folder cannot be used or written; existing files are unchanged."""

    exit_code = 4


class PluginError(GenaugError):
    """A plugin is broken, has the name of another one, or violates its contract."""

    exit_code = 5


class TrainingError(GenaugError):
    """Training ended without a usable model."""

    exit_code = 6


def shown(value: object) -> str:
    """A value as messages show it: its repr, in at most 200 characters."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # an integer of more than 4,300 digits, a list in a list in a list ...
        text = f"a very long {type(value).__name__}"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def printable(text: str) -> str:
    r"""Text on one line that moves no cursor and hides nothing.

    Line breaks, other control characters, characters that change the direction of the text, and the bytes of file names
    that are not UTF-8 are shown as escapes such as \n or \x1b.
    """
    return "".join(_escaped(letter) if unicodedata.category(letter) in _CONTROLS else letter for letter in text)


def described(error: BaseException) -> str:
    """An exception of a plugin or a library as messages show it: type and text on one line, without absolute folders.

    Text longer than 300 characters is cut.
    """
    text = printable(_FOLDERS.sub("", " ".join(str(error).split())))
    whole = f"{type(error).__name__}: {text}"
    return whole if len(whole) <= _LONGEST_REASON else f"{whole[: _LONGEST_REASON - 3]}..."


def located(error: BaseException, *, core: bool = True) -> str:
    """An exception as `described` shows it, with the file and line where it comes from.

    That is the last line in a plugin, else the last one that is neither core's nor of a library below it such as torch,
    where most errors are raised and nobody would look for them. core: whether a line of core is named if need be.
    """
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    lines = [line for _, line in walk_tb(error.__traceback__)]
    roots = {entry.module.partition(".")[0] for entry in entry_points(group="genaug")}
    in_plugins = [_root(frame) in roots for frame in frames]
    outside = [_is_outside(frame.f_code.co_filename) for frame in frames]
    places = next((marks for marks in (in_plugins, outside) if any(marks)), [core] * len(frames))
    last = max((place for place, marked in enumerate(places) if marked), default=None)
    return described(error) if last is None else f"{described(error)} ({_short(frames[last])}:{lines[last]})"


def log_traceback(error: BaseException) -> None:
    """Log the whole traceback of an error that ends a part of the work, if the user set GENAUG_TRACEBACK."""
    if os.environ.get(TRACEBACK):
        logging.getLogger("genaug").error("%s", "".join(traceback.format_exception(error)))


def _root(frame: FrameType) -> str:
    """The package that a frame's module belongs to."""
    return str(frame.f_globals.get("__name__")).partition(".")[0]


def _is_outside(file: str) -> bool:
    path = Path(file)
    return not (path.is_relative_to(_CORE) or _BELOW & set(path.parts) or file.startswith("<"))


def _short(frame: FrameType) -> str:
    """The file of a frame, relative to the folder from which Python imports it; its name alone if there is none."""
    file = Path(frame.f_code.co_filename)
    homes = [Path(home) for home in sys.path if home and file.is_relative_to(Path(home))]
    return file.relative_to(max(homes, key=lambda home: len(home.parts))).as_posix() if homes else file.name


def _escaped(letter: str) -> str:
    code = ord(letter)
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else letter.encode("unicode_escape").decode()


def unknown(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """The error for a name that is not among the known ones; the message suggests the most similar one."""
    names = sorted(known)
    near = get_close_matches(name[:LONGEST], names, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return UsageError(f"unknown {kind} {shown(name)}{hint}; known: {', '.join(names) or 'none'}")


def disk_fault(error: OSError) -> str:
    """Why a file could not be written, and what to do."""
    advice: Mapping[int | None, str] = {
        errno.ENOSPC: "the disk is full; free some space and run the same command again to continue",
        errno.EDQUOT: "the disk quota is full; free some space and run the same command again to continue",
        errno.EFBIG: "the file is larger than the limit of this process (ulimit -f); raise the limit and run again",
        errno.EACCES: "permission denied; choose another --out",
        errno.EPERM: "not permitted; choose another --out",
        errno.EROFS: "the file system is read-only; choose another --out",
        errno.ENOTDIR: "part of the path is a file; choose another --out",
        errno.EEXIST: "part of the path is a file; choose another --out",
        errno.ENAMETOOLONG: "the name is too long for this file system; choose a shorter --out",
    }
    return advice.get(error.errno, error.strerror or str(error))
