"""Reads many files in parallel and lists those that cannot be read."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from genaug.data.decode import UnreadableError, quiet
from genaug.data.scan import FoundFile, Skipped, relative

Result = TypeVar("Result")
_MOST_THREADS = 16  # each holds one image at its full size
_FILES = 64  # a thread reads so many before it asks for more: to ask takes as long as to read a tiny image


def read_all(
    files: Sequence[FoundFile], read: Callable[[int, FoundFile], Result], root: Path
) -> tuple[list[tuple[int, Result]], list[Skipped]]:
    """Pairs (place in files, result of `read`) in order, and the files for which it raised UnreadableError, and why.

    `read` gets the place of a file, and the file. Threads are enough, because Pillow releases the interpreter lock
    while it decodes.
    """

    def tried(start: int) -> list[Result | Skipped]:
        return [_tried(read, place, files[place], root) for place in range(start, min(start + _FILES, len(files)))]

    pairs: list[tuple[int, Result]] = []
    unreadable: list[Skipped] = []
    for place, result in enumerate(_in_threads(tried, range(0, len(files), _FILES))):
        if isinstance(result, Skipped):
            unreadable.append(result)
        else:
            pairs.append((place, result))
    return pairs, unreadable


def _in_threads(work: Callable[[int], list[Result]], starts: range) -> Iterator[Result]:
    with quiet, ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as pool:
        for results in pool.map(work, starts):
            yield from results


def _tried(read: Callable[[int, FoundFile], Result], place: int, file: FoundFile, root: Path) -> Result | Skipped:
    try:
        return read(place, file)
    except UnreadableError as error:
        return Skipped(relative(file.path, root), file.split, file.label_name, str(error))
