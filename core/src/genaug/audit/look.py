"""One look at every image of an output: its hashes, its mark, its thumbnail."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from genaug.audit.account import Account
from genaug.audit.members import DamagedShardError, Member, file_member, files, shard_members, split_of
from genaug.data.decode import UnreadableError, decode_bytes
from genaug.data.duplicates import Vectors, pixel_hash, thumbnail
from genaug.mixing.lines import Line
from genaug.mixing.origin import read_mark
from genaug.mixing.output import PROVENANCE, holder
from genaug.storage import file_sha256


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was written. path: relative to OUT.

    kind: changed, missing, added, renamed, unmarked (a synthetic image without its mark of origin), leaked (a training
    image that is, or nearly is, one of another split), model (weights that did not draw the images).
    """

    kind: str
    path: str
    detail: str


@dataclass(frozen=True)
class Seen:
    """An image that lies in OUT. line: its provenance, None for a stranger.

    pixels: hash of its pixels, None for what is no image. thumbnail: float32 [768], None where nobody needs it.
    marked: whether it says that it is synthetic.
    """

    member: Member
    line: Line | None
    sha256: str
    pixels: str | None
    thumbnail: Vectors | None
    marked: bool

    @property
    def name(self) -> str:
        """As the provenance calls it."""
        return self.member.name

    @property
    def intact(self) -> bool:
        """Whether its bytes are those that were written."""
        return self.line is not None and self.sha256 == self.line["sha256"]


@dataclass
class Sight:
    """All that is seen, what is wrong with shards as files, and the files whose images are spoken for by that."""

    seen: list[Seen] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    excused: set[str] = field(default_factory=set)


def look(account: Account) -> Sight:
    """Look at every image; pixels are decoded where bytes differ, or where there is a split to compare train with."""
    sight, found = Sight(), files(account)
    splits = {str(line["split"]) for line in account.lines} | {split_of(name) for name in found}
    left = {str(line["file_name"]): line for line in account.lines}
    for member in _members(account, found, sight):
        sight.seen.append(_seen(member, left.pop(member.name, None), closely=splits != {"train"}))
    return sight


def _seen(member: Member, line: Line | None, *, closely: bool) -> Seen:
    data = member.data or b""
    digest = hashlib.sha256(data).hexdigest()
    same = line is not None and digest == line["sha256"]
    if line is not None and same and not closely:
        return Seen(member, line, digest, line["pixels"], None, bool(line["synthetic"]))
    try:
        pixels = decode_bytes(data).pixels
    except UnreadableError:
        return Seen(member, line, digest, None, None, marked=False)
    return Seen(member, line, digest, pixel_hash(pixels), thumbnail(pixels), read_mark(data) is not None)


def _members(account: Account, found: dict[str, Path], sight: Sight) -> Iterator[Member]:
    if account.format == "folder":
        yield from (file_member(name, path) for name, path in found.items())
        return
    recorded = {name: digest for name, digest in account.run["written"].items() if name != PROVENANCE}
    sight.findings += _shard_findings(recorded, found)
    sight.excused |= recorded.keys() - found.keys()
    for name in sorted(found, key=lambda name: (name not in recorded, name)):
        try:
            yield from shard_members(account, name, found[name])
        except DamagedShardError as error:
            count = sum(holder(line) == name for line in account.lines)
            detail = f"it cannot be read to its end ({error}); it held {count} images"
            sight.findings.append(Finding("changed", name, detail))
            sight.excused.add(name)


def _shard_findings(recorded: dict[str, str], found: dict[str, Path]) -> Iterator[Finding]:
    """Shards as files: those that are there under another name, are gone, are new, or have other bytes."""
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
