"""The only room that opens files for writing: a file is there whole or not at all."""

import errno
import hashlib
import json
import os
import shutil
import tempfile
import uuid
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from genaug.errors import OutputError

LOCK = "lock"
_FICLONE = 0x40049409  # the ioctl number of a reflink on Linux


def stage_hash(values: Any) -> str:
    """The name under which a stage is found again: a hash of all that decides it (plain JSON values), 16 hex digits."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def make_folder(path: Path) -> Path:
    """Make a folder and its parents; raises OutputError when that is impossible."""
    with _faults_of(path):
        path.mkdir(parents=True, exist_ok=True)
    return path


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    write_with(path, lambda beside: _spill(beside, data))


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file whole or not at all. A file name that is not UTF-8 is escaped, never an error."""
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_json(path: Path, values: Any) -> None:
    """Write readable JSON, keys sorted, odd characters escaped, whole or not at all."""
    write_text(path, json.dumps(values, indent=2, sort_keys=True) + "\n")


def write_json_lines(path: Path, records: Iterable[Any]) -> None:
    """Write JSON lines, keys sorted, whole or not at all; odd characters are escaped, so any file name survives."""
    write_text(path, "".join(json.dumps(record, sort_keys=True) + "\n" for record in records))


def read_json_lines(path: Path) -> list[Any]:
    """What `write_json_lines` wrote; empty when the file is not there."""
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def read_json(path: Path) -> Any | None:
    """What `write_json` wrote; None when the file is not there or not JSON (then it was not written by us)."""
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def write_with(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file beside `path`, force it to the disk, and give it its name."""
    beside = path.with_name(f".{uuid.uuid4().hex[:12]}.part")
    with _faults_of(path):
        try:
            write(beside)
            _force(beside)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


def copy_file(source: Path, path: Path) -> None:
    """Copy a file whole or not at all: a reflink where the file system can. The two share nothing that can change."""
    write_with(path, lambda beside: _clone(source, beside))


def file_bytes(path: Path) -> bytes:
    """A file's bytes."""
    return path.read_bytes()


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def move(source: Path, target: Path) -> None:
    """Move a finished file or folder into its place, on one file system."""
    with _faults_of(target):
        source.replace(target)


def remove(path: Path) -> None:
    """Remove a file or a folder with all that is in it; a link is removed, never followed."""
    with _faults_of(path):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def scratch_folder(owner: object) -> Path:
    """A new folder among the system's temporary ones that is removed with its owner."""
    folder = Path(tempfile.mkdtemp(prefix="genaug-"))
    weakref.finalize(owner, shutil.rmtree, folder, ignore_errors=True)
    return folder


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder for one run; raises OutputError at once when another run holds it."""
    make_folder(folder)
    lock = FileLock(folder / LOCK)
    with _faults_of(folder):
        try:
            lock.acquire(timeout=0)
        except Timeout as error:  # an OSError, but not one of the disk
            raise OutputError(f"another run writes to {folder.parent}; wait for it, or give another --out") from error
    try:
        yield
    finally:
        lock.release()


def _spill(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)


def _force(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _clone(source: Path, path: Path) -> None:
    with source.open("rb") as original, path.open("wb") as copy:
        if not _reflink(original.fileno(), copy.fileno()):
            shutil.copyfileobj(original, copy, 1 << 20)


def _reflink(source: int, target: int) -> bool:
    try:
        import fcntl

        fcntl.ioctl(target, _FICLONE, source)
    except (ImportError, OSError):
        return False
    return True


@contextmanager
def _faults_of(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"could not write {path}: {_reason(error)}") from error


def _reason(error: OSError) -> str:
    advice: Mapping[int | None, str] = {
        errno.ENOSPC: "the disk is full; free some space and run the same command again, it goes on from here",
        errno.EDQUOT: "the disk quota is used up; free some space and run the same command again, it goes on from here",
        errno.EFBIG: "the file grew over the size limit of this process (ulimit -f); raise it and run again",
        errno.EACCES: "permission denied; choose another --out",
        errno.EPERM: "not permitted; choose another --out",
        errno.EROFS: "the file system is read-only; choose another --out",
        errno.ENOTDIR: "a part of the path is a file; choose another --out",
        errno.EEXIST: "a part of the path is a file; choose another --out",
        errno.ENAMETOOLONG: "the name is too long for this file system",
    }
    return advice.get(error.errno, error.strerror or str(error))
