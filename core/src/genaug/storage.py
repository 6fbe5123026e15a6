"""The only module that opens files for writing: a file is written completely or not at all."""

import hashlib
import heapq
import json
import logging
import os
import re
import shutil
import tempfile
import uuid
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout

from genaug.errors import DataError, OutputError, disk_fault, printable

Record = TypeVar("Record", bound=Mapping[str, Any])
LOCK = "lock"
_TOGETHER = 10_000  # records that are sorted in memory
_LOG = logging.getLogger("genaug")
_PART = re.compile(r"\.[0-9a-f]{12}\.part")
_FICLONE = 0x40049409  # ioctl number of a reflink (copy-on-write copy) on Linux


def stage_hash(values: Any) -> str:
    """A hash of all JSON values that decide the result of a stage, 16 hex digits; finished stages are found by it."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def make_folder(path: Path) -> Path:
    """Create a folder and its parents and return it; raises OutputError if that is impossible."""
    with _output_errors(path):
        path.mkdir(parents=True, exist_ok=True)
    return path


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file completely or not at all; raises OutputError."""
    write_with(path, lambda beside: beside.write_bytes(data))


def write_checked(path: Path, data: bytes) -> None:
    """Write data after their SHA-256, by which `read_checked` knows that they are whole."""
    write_bytes(path, hashlib.sha256(data).digest() + data)


def read_checked(path: Path) -> bytes | None:
    """What `write_checked` wrote; None if the file is missing, or was changed in any bit, which is logged."""
    data = _checked(path)
    if data is None and path.exists():
        log_changed(path)
    return data


def log_changed(path: Path) -> None:
    """Log that a file which genaug keeps for later runs is not used, because it is not as it was written."""
    _LOG.warning("%s is not as this genaug wrote it, and is computed again", printable(str(path)))


def need_checked(path: Path) -> bytes:
    """The same; raises OutputError instead of None."""
    data = _checked(path)
    if data is None:
        raise OutputError(f"{path} is gone or changed since it was written; run the same command again")
    return data


def _checked(path: Path) -> bytes | None:
    if not path.is_file():  # reading a pipe would not end
        return None
    found, size = path.read_bytes(), hashlib.sha256().digest_size
    return found[size:] if hashlib.sha256(found[size:]).digest() == found[:size] else None


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file completely or not at all; characters of file names that are not UTF-8 are escaped."""
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_json(path: Path, values: Any) -> None:
    """Write indented JSON with sorted keys and escaped non-ASCII characters, completely or not at all."""
    write_text(path, json.dumps(values, indent=2, sort_keys=True) + "\n")


def write_json_lines(path: Path, records: Iterable[Any]) -> None:
    """Write JSON lines with sorted keys, completely or not at all; escaping keeps any file name intact."""
    write_with(path, lambda beside: _write_lines(beside, (json.dumps(record, sort_keys=True) for record in records)))


def write_sorted_json_lines(path: Path, records: Iterable[Mapping[str, Any]], key: str) -> None:
    """The same, sorted by the texts under a key; any number of records takes the memory of 10,000."""
    batches = [
        JsonLines(path.parent, sorted(([record[key], record] for record in batch), key=itemgetter(0)))
        for batch in _batches(records)
    ]
    write_json_lines(path, (record for _, record in heapq.merge(*batches, key=itemgetter(0))))


class JsonLines:
    """JSON values in a temporary file, which takes no memory and vanishes with this object.

    folder: where the file lies; it has no name there.
    """

    def __init__(self, folder: Path, values: Iterable[Any] = ()) -> None:
        self._folder = folder
        with _output_errors(folder):
            self._file = tempfile.TemporaryFile("w+", dir=folder, encoding="ascii")  # noqa: SIM115 - closed with it
        weakref.finalize(self, self._file.close)
        self.extend(values)

    def extend(self, values: Iterable[Any]) -> None:
        """Add values at the end."""
        for value in values:
            with _output_errors(self._folder):
                self._file.write(json.dumps(value) + "\n")

    def __iter__(self) -> Iterator[Any]:
        self._file.seek(0)
        return map(json.loads, self._file)


def read_json_lines(path: Path) -> Iterator[Any]:
    """The values in a file of `write_json_lines`, one by one; none if there is no such file. Raises ValueError."""
    return map(_json, file_lines(path)) if path.is_file() else iter(())


def file_lines(path: Path) -> Iterator[bytes]:
    """The lines of a file, one by one."""
    with path.open("rb") as file:
        yield from file


def read_json(path: Path) -> Any | None:
    """Read a file of `write_json`; None if there is no such file or it is not JSON (then genaug did not write it)."""
    try:
        return _json(path.read_bytes()) if path.is_file() else None  # reading a pipe or a device would not end
    except (OSError, ValueError):
        return None


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("too deeply nested") from error


def write_with(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file next to `path`, flush it to the disk, and rename it to `path`."""
    beside = path.with_name(f".{uuid.uuid4().hex[:12]}.part")
    with _output_errors(path):
        try:
            write(beside)
            _flush_to_disk(beside)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


def is_part(path: Path) -> bool:
    """Whether a path has a name that `write_with` gives to unfinished files; after a kill they stay."""
    return _PART.fullmatch(path.name) is not None


def remove_parts(folder: Path) -> None:
    """Remove the unfinished files that killed commands left anywhere below a folder."""
    for path in [path for path in folder.rglob(".*.part") if is_part(path)]:
        if path.is_file() and not path.is_symlink():
            remove(path)


def copy_file(source: Path, path: Path) -> None:
    """Copy a file completely or not at all, as a reflink if possible; a later change of one file leaves the other."""
    write_with(path, lambda beside: _clone(source, beside))


def real_path(path: Path) -> Path:
    """The absolute path behind all links. Unlike Path.resolve, it does not raise for links that lead to each other."""
    return Path(os.path.realpath(path))


def file_bytes(path: Path) -> bytes:
    """A file's bytes; raises DataError if it is no regular file or cannot be read."""
    try:
        if path.exists() and not path.is_file():  # reading a pipe or a device would not end
            raise DataError(f"{path} is no regular file")
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, 64 hex digits; raises DataError if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error


def move(source: Path, target: Path) -> None:
    """Move a finished file or folder to its final path on the same file system; raises OutputError."""
    with _output_errors(target):
        source.replace(target)


def remove(path: Path) -> None:
    """Remove a file, or a folder with everything in it; a link itself is removed, its target stays."""
    with _output_errors(path):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def write_nowhere(descriptor: int) -> None:
    """Drop what an open file could not write; Python would fail with it again at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def scratch_folder(owner: object) -> Path:
    """A new temporary folder that is removed together with its owner."""
    folder = Path(tempfile.mkdtemp(prefix="genaug-"))
    weakref.finalize(owner, shutil.rmtree, folder, ignore_errors=True)
    return folder


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock a folder for one run; raises OutputError immediately if another run has locked it."""
    make_folder(folder)
    lock = FileLock(folder / LOCK)
    with _output_errors(folder):
        try:
            lock.acquire(timeout=0)
        except Timeout as error:  # an OSError, but not one of the disk
            raise OutputError(f"another run writes to {folder.parent}; wait for it, or give another --out") from error
    try:
        yield
    finally:
        lock.release()


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    source = iter(records)
    while batch := list(islice(source, _TOGETHER)):
        yield batch


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    with path.open("w", encoding="ascii") as file:
        file.writelines(f"{line}\n" for line in lines)


def _flush_to_disk(path: Path) -> None:
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
def _output_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"could not write {path}: {disk_fault(error)}") from error
