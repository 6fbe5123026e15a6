"""Reads many files in parallel and lists those that cannot be read."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from genaug.data.decode import UnreadableError, quiet
from genaug.data.scan import FoundFile, Skipped, relative

Result = TypeVar("Result")
_MOST_THREADS = 16  # each holds one image at its full size


def read_all(
    files: Iterable[FoundFile], read: Callable[[Path], Result], root: Path
) -> tuple[list[tuple[FoundFile, Result]], list[Skipped]]:
    """Pairs (file, result of `read`) in order, and the files for which `read` raised UnreadableError, with the reason.

    Threads are enough, because Pillow releases the interpreter lock while it decodes.
    """

    def tried(file: FoundFile) -> Result | Skipped:
        try:
            return read(file.path)
        except UnreadableError as error:
            return Skipped(relative(file.path, root), file.split, file.label_name, str(error))

    known = list(files)
    with quiet, ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as pool:
        results = list(pool.map(tried, known))
    pairs = [(file, result) for file, result in zip(known, results, strict=True) if not isinstance(result, Skipped)]
    return pairs, [result for result in results if isinstance(result, Skipped)]
