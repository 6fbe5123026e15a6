"""Reads every image of an output once: its hashes, its mark, its thumbnail."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from genaug.audit.records import OutputRecords
from genaug.audit.stored import (
    DamagedShardError,
    StoredImage,
    files,
    image_in_file,
    images_in_shard,
    is_shard,
    split_of,
)
from genaug.data.decode import UnreadableError, decode_bytes
from genaug.data.duplicates import Vectors, pixel_hash, thumbnail
from genaug.output.files import PROVENANCE
from genaug.output.mark import read_mark
from genaug.output.provenance import ProvenanceLine, holder
from genaug.storage import file_sha256


@dataclass(frozen=True)
class Finding:
    """Something in an output that is not as the run wrote it. path: relative to OUT.

    kind: changed, missing, added, renamed, unmarked (a synthetic image without its mark), leaked (a training image that
    is, or nearly is, an image of another split), model (weights that did not draw the images).
    """

    kind: str
    path: str
    detail: str


@dataclass(frozen=True)
class SurveyedImage:
    """An image that is stored in OUT. line: its provenance line; None where it has none.

    pixels: hash of its pixels; None where it cannot be read as an image. thumbnail: float32 [768]; None where nothing
    is compared with it. marked: whether it carries the mark of a synthetic image.
    """

    stored: StoredImage
    line: ProvenanceLine | None
    sha256: str
    pixels: str | None
    thumbnail: Vectors | None
    marked: bool

    @property
    def name(self) -> str:
        """Its name in the provenance."""
        return self.stored.name

    @property
    def split(self) -> str:
        """The split whose folder or shard holds it."""
        return self.stored.split

    @property
    def intact(self) -> bool:
        """Whether its bytes are those that were written."""
        return self.line is not None and self.sha256 == self.line["sha256"]


@dataclass
class Survey:
    """All images that were read, and findings about shards as files.

    covered: shards that such a finding covers already, so that their images are not reported one by one.
    """

    images: list[SurveyedImage] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    covered: set[str] = field(default_factory=set)


def survey(records: OutputRecords) -> Survey:
    """Read every image; pixels are decoded where bytes differ, or where there is a split to compare train with."""
    result, found = Survey(), files(records)
    splits = {str(line["split"]) for line in records.lines} | {split_of(name) for name in found}
    left = {str(line["file_name"]): line for line in records.lines}
    for stored in _stored(records, found, result):
        result.images.append(_surveyed(stored, left.pop(stored.name, None), closely=splits != {"train"}))
    return result


def _surveyed(stored: StoredImage, line: ProvenanceLine | None, *, closely: bool) -> SurveyedImage:
    data = stored.data or b""
    digest = hashlib.sha256(data).hexdigest()
    same = line is not None and digest == line["sha256"]
    if line is not None and same and not closely:
        return SurveyedImage(stored, line, digest, line["pixels"], None, bool(line["synthetic"]))
    try:
        pixels = decode_bytes(data).pixels
    except UnreadableError:
        return SurveyedImage(stored, line, digest, None, None, marked=False)
    marked = read_mark(data) is not None
    return SurveyedImage(stored, line, digest, pixel_hash(pixels), thumbnail(pixels), marked)


def _stored(records: OutputRecords, found: dict[str, Path], result: Survey) -> Iterator[StoredImage]:
    shards = {} if records.format == "folder" else {name: path for name, path in found.items() if is_shard(name)}
    if records.format != "folder":
        yield from _in_shards(records, shards, result)
    yield from (image_in_file(name, path) for name, path in found.items() if name not in shards)


def _in_shards(records: OutputRecords, shards: dict[str, Path], result: Survey) -> Iterator[StoredImage]:
    recorded = {name: digest for name, digest in records.run["written"].items() if name != PROVENANCE}
    result.findings += _shard_findings(recorded, shards)
    result.covered |= recorded.keys() - shards.keys()
    for name in sorted(shards, key=lambda name: (name not in recorded, name)):
        try:
            yield from images_in_shard(records, name, shards[name])
        except DamagedShardError as error:
            count = sum(holder(line) == name for line in records.lines)
            detail = f"it cannot be read to its end ({error}); it held {count} images"
            result.findings.append(Finding("changed", name, detail))
            result.covered.add(name)


def _shard_findings(recorded: dict[str, str], found: dict[str, Path]) -> Iterator[Finding]:
    """Shards that have another name, are missing, were added, or have other bytes."""
    hashes = {name: file_sha256(path) for name, path in found.items() if path.is_file()}
    missing = {digest: name for name, digest in recorded.items() if name not in found}
    for name in found:
        digest = hashes.get(name, "")
        if name not in recorded and digest in missing:
            yield Finding("renamed", name, f"it was {missing.pop(digest)}")
        elif name not in recorded:
            yield Finding("added", name, "the run did not write it")
        elif digest != recorded[name]:
            yield Finding("changed", name, "its bytes differ")
    yield from (Finding("missing", name, "a shard of the run") for name in missing.values())
