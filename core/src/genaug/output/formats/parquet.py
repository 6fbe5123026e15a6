"""Parquet shards as Hugging Face writes them: the image, its label with the class names, and its provenance."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from genaug.output.files import SHARDS
from genaug.output.formats.entry import Entry
from genaug.output.formats.shards import COLUMNS, Packed, flat_record, readable, shards
from genaug.storage import JsonLines, make_folder, move, write_with

_ROWS_TOGETHER = 100  # rows in a group, as Hugging Face uses for images, so that a viewer reads little


def write_parquet(
    splits: Mapping[str, Sequence[Entry]], stage: Path, classes: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Write `data/<split>-00000-of-00001.parquet` and so on; each line names the shard of its image."""
    folder = make_folder(stage / SHARDS)
    for split, entries in splits.items():
        lines, count = JsonLines(folder), 0
        for number, group in enumerate(shards(entries)):
            write_with(folder / f"{split}-{number:05d}", partial(_fill, group=group, classes=classes))
            lines.extend([number, image.line] for image in group)
            count = number + 1
        names = [f"{split}-{number:05d}-of-{count:05d}.parquet" for number in range(count)]
        for number, name in enumerate(names):
            move(folder / f"{split}-{number:05d}", folder / name)
        yield from (line | {"shard": f"{SHARDS}/{names[number]}"} for number, line in lines)


def _fill(path: Path, *, group: Sequence[Packed], classes: Sequence[str]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    rows = [_row(image, classes) for image in group]
    table = pa.Table.from_pylist(rows, schema=_schema(classes))
    parquet.write_table(table, path, row_group_size=_ROWS_TOGETHER)


def _row(image: Packed, classes: Sequence[str]) -> dict[str, Any]:
    record = flat_record(image.line)
    picture = {"bytes": image.data, "path": record["file_name"]}
    return {"image": picture, "label": classes.index(image.line["label"])} | record


def _schema(classes: Sequence[str]) -> Any:
    """The Arrow schema, with Hugging Face's features in its metadata."""
    import pyarrow as pa

    kinds = {"string": pa.string(), "bool": pa.bool_(), "int64": pa.int64(), "float64": pa.float64()}
    picture = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    fields = [("image", picture), ("label", pa.int64()), *((name, kinds[kind]) for name, kind in COLUMNS.items())]
    features: dict[str, Any] = {
        "image": {"_type": "Image"},
        "label": {"names": [readable(name) for name in classes], "_type": "ClassLabel"},
    }
    features |= {name: {"dtype": kind, "_type": "Value"} for name, kind in COLUMNS.items()}
    return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": features}})})
