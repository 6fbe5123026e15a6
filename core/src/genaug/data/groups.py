"""Groups of images that a user names: those of one patient, one video or one object belong together."""

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genaug.errors import DataError, UsageError, shown

_COLUMNS = 2
_EXPECTED = "expected a CSV file with a line `file,group` for each image, or a regular expression"


def named_groups(text: str, names: Sequence[str]) -> dict[str, str]:
    """{file name: group} of the files that belong to a group with other files or by itself.

    text: a CSV file of `file,group` lines, or a regular expression that is searched for in each name; its first
    parenthesis, or else the whole match, is the group. names: relative to the folder of a split, as `cat/p7-1.png`;
    the file may also write them with the split's folder before. Files without a group are a group each. Raises
    UsageError for a text that is neither, or that puts no file into a group; DataError for a line that is none.
    """
    path = Path(text)
    found = _of_file(path, names) if path.is_file() else _of_pattern(text, names)
    if not found:
        raise UsageError(f"groups: {shown(text)} puts no image into a group; {_EXPECTED} that matches file names")
    return found


def joined(groups: NDArray[np.int64], names: Sequence[str]) -> NDArray[np.int64]:
    """Groups of near-duplicates [N] joined where the user's groups overlap them; the number is that of its first row.

    names: the user's group of each image; empty for an image in none.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    numbers = {name: len(groups) + place for place, name in enumerate(sorted({name for name in names if name}))}
    rows = np.array([row for row, name in enumerate(names) if name], np.int64)
    owners = np.array([numbers[name] for name in names if name], np.int64)
    first = np.concatenate([np.arange(len(groups)), rows])
    second = np.concatenate([groups, owners])
    size = len(groups) + len(numbers)
    graph = coo_array((np.ones(len(first), dtype=bool), (first, second)), shape=(size, size))
    components = connected_components(graph, directed=False)[1][: len(groups)]
    _, starts, places = np.unique(components, return_index=True, return_inverse=True)
    return starts[places].astype(np.int64)


def _of_pattern(text: str, names: Sequence[str]) -> dict[str, str]:
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise UsageError(f"groups: {_EXPECTED}, got {shown(text)}: {error}") from error
    matches = {name: pattern.search(name) for name in names}
    found = {name: match[1 if pattern.groups else 0] for name, match in matches.items() if match}
    return {name: group for name, group in found.items() if group}


def _of_file(path: Path, names: Sequence[str]) -> dict[str, str]:
    try:
        rows = list(csv.reader(path.read_text("utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"groups: {path} cannot be read as CSV: {error}; {_EXPECTED}") from error
    for number, row in enumerate(rows, start=1):
        if row and len(row) != _COLUMNS:
            raise DataError(f"groups: line {number} of {path} has {len(row)} columns; {_EXPECTED}")
    given = {row[0].strip(): row[1].strip() for row in rows if row}
    return _chosen(given, names)


def _chosen(given: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """The groups of these names, which the file may write with the folder of their split before."""
    found = {}
    for written, group in given.items():
        tail = written.partition("/")[2]
        for name in (written, tail):
            if group and name:
                found[name] = group
    return {name: found[name] for name in names if name in found}
