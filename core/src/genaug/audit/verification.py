"""Tells real from synthetic images, and finds everything in an output that is not as the run wrote it."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from genaug.audit.leaks import held_out, leaks
from genaug.audit.records import OutputRecords
from genaug.audit.survey import Finding, Survey, SurveyedImage, survey
from genaug.fitting.record import is_changed
from genaug.output.files import PROVENANCE, RUN
from genaug.output.provenance import ProvenanceLine, holder
from genaug.storage import file_sha256


@dataclass(frozen=True)
class Verification:
    """What `genaug verify` found.

    counts: {split: {real, synthetic, unknown: images}}. training, held_out: images that were compared for leaks; where
    nothing was held out, no leak can be found.
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
    """Compare OUT with its records; writes nothing. Raises DataError where the records are missing or damaged."""
    records = OutputRecords.read(out)
    found = survey(records)
    findings = [
        *_records(records),
        *found.findings,
        *(finding for one in found.images for finding in _changes(one)),
        *_moves(records.lines, found),
        *leaks(records.lines, found.images),
    ]
    return Verification(
        out=str(out),
        format=records.format,
        counts=_counts(records.lines, found.images),
        training=sum(one.split == "train" for one in found.images),
        held_out=len(held_out(records.lines, found.images)),
        findings=tuple(sorted(findings, key=lambda finding: (finding.path, finding.kind, finding.detail))),
    )


def _records(records: OutputRecords) -> Iterator[Finding]:
    """Differences of the provenance and the models from the record of the run."""
    if records.run["written"].get(PROVENANCE) != file_sha256(records.out / PROVENANCE):
        yield Finding("changed", PROVENANCE, f"it is not the one that {RUN} knows; what it says may be false")
    for fit in records.run["fits"]:
        path = records.out / fit["model"]
        gone = [part for part in (path, path.with_suffix(".json")) if not part.is_file()]
        for part in gone:
            name = part.relative_to(records.out).as_posix()
            yield Finding("missing", name, "without this model its images cannot be drawn again")
        if path not in gone and file_sha256(path) != fit["sha256"]:
            yield Finding("model", fit["model"], "these weights are not those that drew the images")
        elif not gone and is_changed(path):
            name = path.with_suffix(".json").relative_to(records.out).as_posix()
            yield Finding("changed", name, "it is not the record of the model that drew the images")


def _changes(one: SurveyedImage) -> Iterator[Finding]:
    """What is wrong with an image that is stored where the run wrote it."""
    if one.stored.fault:
        yield Finding("changed", one.name, one.stored.fault)
    if one.line is None or one.intact:
        return
    lost = bool(one.line["synthetic"]) and not one.marked
    if one.pixels == one.line["pixels"] and lost:
        yield Finding("unmarked", one.name, "its pixels are as written, its mark is gone")
    elif one.pixels == one.line["pixels"]:
        yield Finding("changed", one.name, "its pixels are as written, its bytes are not")
    elif one.pixels is None:
        yield Finding("changed", one.name, "it can no longer be read as an image")
    else:
        yield Finding("changed", one.name, f"its pixels differ{', and its mark is gone' if lost else ''}")


def _moves(lines: Sequence[ProvenanceLine], found: Survey) -> Iterator[Finding]:
    """Images that were renamed, added, or are missing."""
    here = {one.name for one in found.images if one.line is not None}
    missing = {
        line["file_name"]: line for line in lines if line["file_name"] not in here and holder(line) not in found.covered
    }
    by_hash = {line[kind]: line["file_name"] for kind in ("pixels", "sha256") for line in missing.values()}
    synthetic = _synthetic_pixels(lines)
    for one in (one for one in found.images if one.line is None):
        old = by_hash.get(one.sha256) or by_hash.get(one.pixels or "")
        if old in missing:
            yield Finding("renamed", one.name, f"it was {missing.pop(old)['file_name']}")
        else:
            yield Finding("added", one.name, _what(one))
        if one.pixels in synthetic and not one.marked:
            yield Finding(
                "unmarked", one.name, f"it shows the synthetic image {synthetic[one.pixels]} without its mark"
            )
    yield from (Finding("missing", name, "the run wrote it") for name in missing)


def _synthetic_pixels(lines: Sequence[ProvenanceLine]) -> dict[str | None, str]:
    """{hash of pixels: image} of the synthetic images that equal no real image."""
    real = {line["pixels"] for line in lines if not line["synthetic"]}
    return {line["pixels"]: line["file_name"] for line in lines if line["synthetic"] and line["pixels"] not in real}


def _what(one: SurveyedImage) -> str:
    kind = "no image" if one.pixels is None else "an image marked as synthetic" if one.marked else "an image"
    return f"the run did not write it; it is {kind}"


def _counts(lines: Sequence[ProvenanceLine], images: Sequence[SurveyedImage]) -> dict[str, dict[str, int]]:
    """Images by split and kind; an image without a line is recognised by its bytes or pixels where possible."""
    kinds = {line[key]: _kind(line) for key in ("pixels", "sha256") for line in lines}
    counts: dict[str, dict[str, int]] = {}
    for one in images:
        row = counts.setdefault(one.split, {"real": 0, "synthetic": 0, "unknown": 0})
        by_hash = kinds.get(one.sha256) or kinds.get(one.pixels or "") or "unknown"
        row[by_hash if one.line is None else _kind(one.line)] += 1
    return {split: counts[split] for split in ("train", "val", "test") if split in counts}


def _kind(line: ProvenanceLine) -> str:
    return "synthetic" if line["synthetic"] else "real"
