"""Tar shards as WebDataset and Hugging Face read them: `<key>.png`, `<key>.cls`, `<key>.json` for each image."""

import io
import json
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from genaug.output.files import SHARDS
from genaug.output.formats.entry import Entry
from genaug.output.formats.shards import COLUMNS, Packed, flat_record, readable, shards
from genaug.storage import make_folder, write_with

_EMPTY = {"string": "", "bool": False, "int64": -1, "float64": -1.0}


def write_webdataset(
    splits: Mapping[str, Sequence[Entry]], stage: Path, classes: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Write `data/<split>-000000.tar` and so on; each line names the shard and the file inside it."""
    folder, suffix = make_folder(stage / SHARDS), _suffix(splits)
    for split, entries in splits.items():
        count = 0
        for number, group in enumerate(shards(entries)):
            name = f"{split}-{number:06d}.tar"
            keys = [f"{split}-{count + place:09d}" for place in range(len(group))]
            write_with(folder / name, partial(_fill, keys=keys, group=group, suffix=suffix, classes=classes))
            for key, image in zip(keys, group, strict=True):
                yield image.line | {"shard": f"{SHARDS}/{name}", "member": key + suffix}
            count += len(group)


def sample_record(line: Mapping[str, Any]) -> dict[str, Any]:
    """The record inside a shard; every value has its type, since readers infer types from the first records."""
    return {
        column: _EMPTY[COLUMNS[column]] if value is None else value for column, value in flat_record(line).items()
    } | {"label": readable(line["label"])}


def _suffix(splits: Mapping[str, Sequence[Entry]]) -> str:
    """One suffix for all images, as readers expect: the one they share, else .png; readers go by the bytes."""
    suffixes = {PurePosixPath(entry.file_name).suffix.lower() for entries in splits.values() for entry in entries}
    return suffixes.pop() if len(suffixes) == 1 else ".png"


def _fill(path: Path, *, keys: Sequence[str], group: Sequence[Packed], suffix: str, classes: Sequence[str]) -> None:
    with tarfile.TarFile(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for key, image in zip(keys, group, strict=True):
            for name, data in _files_of(key, image, suffix, classes):
                tar.addfile(_header(name, len(data)), io.BytesIO(data))


def _files_of(key: str, image: Packed, suffix: str, classes: Sequence[str]) -> Iterable[tuple[str, bytes]]:
    yield key + suffix, image.data
    yield f"{key}.cls", str(classes.index(image.line["label"])).encode()
    yield f"{key}.json", json.dumps(sample_record(image.line), sort_keys=True).encode()


def _header(name: str, size: int) -> tarfile.TarInfo:
    """A header that is the same on every machine at any time: owner 0, time 0."""
    header = tarfile.TarInfo(name)
    header.size, header.mode = size, 0o644
    return header
