"""Tells real from synthetic, and finds all in an output that is not as a run wrote it. Writes nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from genaug.audit.account import Account
from genaug.audit.leaks import held_out, leaks
from genaug.audit.look import Finding, Seen, Sight, look
from genaug.mixing.lines import Line
from genaug.mixing.output import PROVENANCE, holder
from genaug.storage import file_sha256


@dataclass(frozen=True)
class Verification:
    """What `genaug verify` found.

    counts: {split: {real, synthetic, unknown: images}}. training, held_out: how many images were compared for leaks; no
    leak can be found where nothing was held out.
    """

    out: str
    format: str
    counts: dict[str, dict[str, int]]
    training: int
    held_out: int
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def verify(out: Path) -> Verification:
    """Compare OUT with its records; raises DataError where these are not there or not what a run wrote."""
    account = Account.read(out)
    sight = look(account)
    findings = [
        *_records(account),
        *sight.findings,
        *(finding for one in sight.seen for finding in _changes(one)),
        *_moves(account.lines, sight),
        *leaks(account.lines, sight.seen),
    ]
    return Verification(
        out=str(out),
        format=account.format,
        counts=_counts(account.lines, sight.seen),
        training=sum(one.member.split == "train" for one in sight.seen),
        held_out=len(held_out(account.lines, sight.seen)),
        findings=tuple(sorted(findings, key=lambda finding: (finding.path, finding.kind, finding.detail))),
    )


def _records(account: Account) -> Iterator[Finding]:
    """The provenance and the models against run.json."""
    if account.run["written"].get(PROVENANCE) != file_sha256(account.out / PROVENANCE):
        yield Finding("changed", PROVENANCE, "it is not the one that run.json knows; what it says may be false")
    for fit in account.run["fits"]:
        path = account.out / fit["model"]
        gone = [part for part in (path, path.with_suffix(".json")) if not part.is_file()]
        for part in gone:
            name = part.relative_to(account.out).as_posix()
            yield Finding("missing", name, "without this model its images cannot be drawn again")
        if path not in gone and file_sha256(path) != fit["sha256"]:
            yield Finding("model", fit["model"], "these weights are not those that drew the images")


def _changes(one: Seen) -> Iterator[Finding]:
    """What is wrong with an image that is where it was written."""
    if one.member.fault:
        yield Finding("changed", one.name, one.member.fault)
    if one.line is None or one.intact:
        return
    lost = bool(one.line["synthetic"]) and not one.marked
    if one.pixels == one.line["pixels"] and lost:
        yield Finding("unmarked", one.name, "its pixels are as written, its mark of origin is gone")
    elif one.pixels == one.line["pixels"]:
        yield Finding("changed", one.name, "its pixels are as written, its bytes are not")
    elif one.pixels is None:
        yield Finding("changed", one.name, "it can no longer be read as an image")
    else:
        yield Finding("changed", one.name, f"its pixels differ{', and its mark of origin is gone' if lost else ''}")


def _moves(lines: Sequence[Line], sight: Sight) -> Iterator[Finding]:
    """Strangers that are a missing image under another name, those that are not, and what is missing after all."""
    here = {one.name for one in sight.seen if one.line is not None}
    missing = {
        line["file_name"]: line for line in lines if line["file_name"] not in here and holder(line) not in sight.excused
    }
    by_hash = {line[kind]: line["file_name"] for kind in ("pixels", "sha256") for line in missing.values()}
    made = _synthetic_pixels(lines)
    for one in (one for one in sight.seen if one.line is None):
        old = by_hash.get(one.sha256) or by_hash.get(one.pixels or "")
        if old in missing:
            yield Finding("renamed", one.name, f"it was {missing.pop(old)['file_name']}")
        else:
            yield Finding("added", one.name, _what(one))
        if one.pixels in made and not one.marked:
            yield Finding("unmarked", one.name, f"it shows the synthetic image {made[one.pixels]} without its mark")
    yield from (Finding("missing", name, "the run wrote it") for name in missing)


def _synthetic_pixels(lines: Sequence[Line]) -> dict[str | None, str]:
    """{hash of pixels: image} of synthetic images that no real one equals."""
    real = {line["pixels"] for line in lines if not line["synthetic"]}
    return {line["pixels"]: line["file_name"] for line in lines if line["synthetic"] and line["pixels"] not in real}


def _what(one: Seen) -> str:
    kind = "no image" if one.pixels is None else "an image marked as synthetic" if one.marked else "an image"
    return f"the run did not write it; it is {kind}"


def _counts(lines: Sequence[Line], seen: Sequence[Seen]) -> dict[str, dict[str, int]]:
    """Of a stranger the bytes, or the pixels, say whether it is an image of the run under another name."""
    kinds = {line[key]: _kind(line) for key in ("pixels", "sha256") for line in lines}
    counts: dict[str, dict[str, int]] = {}
    for one in seen:
        mine = counts.setdefault(one.member.split, {"real": 0, "synthetic": 0, "unknown": 0})
        by_hash = kinds.get(one.sha256) or kinds.get(one.pixels or "") or "unknown"
        mine[by_hash if one.line is None else _kind(one.line)] += 1
    return {split: counts[split] for split in ("train", "val", "test") if split in counts}


def _kind(line: Line) -> str:
    return "synthetic" if line["synthetic"] else "real"
