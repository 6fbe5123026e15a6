"""The images of an output as they are stored, whatever the format."""

import json
import os
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from genaug.audit.records import OutputRecords
from genaug.data.scan import SPLIT_FOLDERS
from genaug.output.files import SHARDS
from genaug.output.formats.shards import flat_record
from genaug.output.formats.webdataset import sample_record
from genaug.output.provenance import holder


@dataclass(frozen=True)
class StoredImage:
    """One image file, or one image in a shard.

    name: as in the provenance. split: the one whose folder or shard holds the image. data: its bytes; None where they
    cannot be read. fault: what is wrong with the label or record beside it in its shard, empty where nothing is.
    """

    name: str
    split: str
    data: bytes | None
    fault: str = ""


class DamagedShardError(Exception):
    """A shard that cannot be read to its end; the message says why."""


def files(records: OutputRecords) -> dict[str, Path]:
    """Every file in the folders of images, by its name relative to OUT; links to folders are listed, not followed."""
    found = {}
    for home in _homes(records):
        for folder, folders, names in os.walk(records.out / home):
            links = [name for name in folders if (Path(folder) / name).is_symlink()]
            for name in [*names, *links]:
                path = Path(folder) / name
                found[path.relative_to(records.out).as_posix()] = path
    return dict(sorted(found.items()))


def split_of(name: str) -> str:
    """The split of a file: by its folder, or by the beginning of a shard's name."""
    home, _, rest = name.partition("/")
    return SPLIT_FOLDERS.get(rest.partition("-")[0] if is_shard(name) else home, "train")


def is_shard(name: str) -> bool:
    """Whether a file lies in the folder of shards."""
    return name.partition("/")[0] == SHARDS


def image_in_file(name: str, path: Path) -> StoredImage:
    """An image that has a file of its own."""
    if not path.is_file():  # reading a pipe would not end
        return StoredImage(name, split_of(name), None)
    fault = "it is a link, and the run wrote a file" if path.is_symlink() else ""
    try:
        return StoredImage(name, split_of(name), path.read_bytes(), fault)
    except OSError:
        return StoredImage(name, split_of(name), None)


def images_in_shard(records: OutputRecords, name: str, path: Path) -> Iterator[StoredImage]:
    """The images in a shard; raises DamagedShardError."""
    if not path.is_file():  # reading a pipe would not end
        raise DamagedShardError("it is no regular file")
    in_tar = records.format == "webdataset"
    expected = sample_record if in_tar else flat_record
    lines = {str(flat_record(line)["file_name"]): line for line in records.lines}
    for data, label, record in _in_tar(path) if in_tar else _in_parquet(path):
        flat = str(record.get("file_name"))
        if (line := lines.get(flat)) is None:
            yield StoredImage(flat, split_of(name), data)
        else:
            fault = _fault(label, record, line["label"], expected(line), records.run["classes"])
            yield StoredImage(str(line["file_name"]), split_of(name), data, fault)


def _homes(records: OutputRecords) -> Sequence[str]:
    """The folders of OUT that hold images."""
    recorded = {holder(line).partition("/")[0] for line in records.lines}
    return sorted(recorded | {name for name in SPLIT_FOLDERS if (records.out / name).is_dir()})


def _fault(
    label: Any, record: Mapping[str, Any], wanted: str, expected: Mapping[str, Any], classes: Sequence[str]
) -> str:
    named = classes[label] if isinstance(label, int) and 0 <= label < len(classes) else label
    if named != wanted:
        return f"its label is {named!r}, recorded {wanted!r}"
    return "" if record == expected else "its record in the shard is not that of the provenance"


def _in_tar(path: Path) -> Iterator[tuple[bytes, Any, dict[str, Any]]]:
    try:
        with tarfile.open(path) as tar:
            sample: dict[str, bytes] = {}
            key = ""
            for header in tar:
                base = PurePosixPath(header.name).name.partition(".")[0]
                if sample and base != key:
                    yield _sample(key, sample)
                    sample = {}
                key = base
                file = tar.extractfile(header) if header.isfile() else None  # a link may lead nowhere
                sample[PurePosixPath(header.name).suffix] = file.read() if file else b""
            if sample:
                yield _sample(key, sample)
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        raise DamagedShardError(str(error)) from error


def _sample(key: str, parts: Mapping[str, bytes]) -> tuple[bytes, Any, dict[str, Any]]:
    """Image, label and record; a sample without a record is named by its key."""
    image = next((data for suffix, data in parts.items() if suffix not in (".cls", ".json")), b"")
    record, label = _plain(parts.get(".json")), _plain(parts.get(".cls"))
    return image, label, record if isinstance(record, dict) else {"file_name": key}


def _plain(text: bytes | None) -> Any:
    try:
        return json.loads(text or b"null")
    except ValueError:
        return None


def _in_parquet(path: Path) -> Iterator[tuple[bytes, Any, dict[str, Any]]]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        for batch in parquet.ParquetFile(path).iter_batches(batch_size=100):
            for row in batch.to_pylist():
                yield (row.pop("image") or {}).get("bytes") or b"", row.pop("label"), row
    except (pa.ArrowException, OSError, UnicodeDecodeError, KeyError) as error:
        raise DamagedShardError(str(error).partition("\n")[0]) from error
