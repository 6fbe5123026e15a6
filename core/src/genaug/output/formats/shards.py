"""What tar and Parquet shards share: how images are grouped, in which order, and the plain record of each."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genaug.output.formats.entry import Entry
from genaug.storage import stage_hash

_SHARD_BYTES = 256 * 1024**2
# what a record holds besides the image: column -> its type, named as in Hugging Face and Arrow
COLUMNS = {
    "file_name": "string",
    "sha256": "string",
    "pixels": "string",
    "split": "string",
    "synthetic": "bool",
    "source": "string",
    "weight": "float64",
    "genaug": "string",
    "generator": "string",
    "plugin": "string",
    "model": "string",
    "seed": "int64",
    "index": "int64",
    "parents": "string",
    "nearest": "string",
    "distance": "float64",
    "scores": "string",
}


@dataclass(frozen=True)
class Packed:
    """An image with its bytes and its finished provenance line."""

    line: dict[str, Any]
    data: bytes


def shards(entries: Sequence[Entry]) -> Iterator[list[Packed]]:
    """Groups of images of 256 MB or one image more, in an order that mixes classes: by a hash of their names."""
    group: list[Packed] = []
    size = 0
    hashes = [int(stage_hash(entry.file_name), 16) for entry in entries]
    for row in sorted(range(len(hashes)), key=hashes.__getitem__):
        line, data = entries[row].make()
        group.append(Packed(line | {"sha256": hashlib.sha256(data).hexdigest()}, data))
        size += len(data)
        if size >= _SHARD_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def flat_record(line: Mapping[str, Any]) -> dict[str, Any]:
    """A provenance line as one value for each column; lists and tables become JSON texts, missing values None."""
    near = line.get("nearest", {})
    values = dict(line) | {"nearest": near.get("file_name"), "distance": near.get("distance")}
    values |= {key: json.dumps(line[key], sort_keys=True) for key in ("parents", "scores") if key in line}
    return {column: readable(values.get(column)) for column in COLUMNS}


def readable(value: Any) -> Any:
    """A text that every reader accepts: bytes of a file name that are not UTF-8 are escaped."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
