"""Writes a mixed data set: a drop-in replacement of the input, each file accounted for, whole or not at all."""

from typing import Any

from genaug.mixing.card import dataset_card
from genaug.mixing.croissant import croissant
from genaug.mixing.entries import entries, written_counts
from genaug.mixing.formats import SHARD_BYTES, write_images
from genaug.mixing.mixed import Mixed, Rejection
from genaug.mixing.output import PROVENANCE, OutputFolder
from genaug.mixing.rejected import rejected_sheets
from genaug.mixing.sheet import contact_sheet
from genaug.storage import file_sha256, make_folder, remove, write_bytes, write_json, write_json_lines, write_text

SHEETS = "contact-sheets"
REJECTIONS = "rejections.jsonl"
Record = dict[str, Any]


def write(mixed: Mixed, output: OutputFolder, timings: Record, *, shard_bytes: int = SHARD_BYTES) -> None:
    """Stage everything inside OUT/.genaug, then publish it."""
    remove(output.stage)
    make_folder(output.stage)
    classes = mixed.loaded.spec.classes
    lines = write_images(mixed.record["format"], entries(mixed), output.stage, classes, shard_bytes)
    write_json_lines(output.stage / PROVENANCE, lines)
    written = _hashes(output, lines)
    _write_sheets(mixed, output)
    _write_rejections(mixed, output)
    write_json(output.stage / "classes.json", {"classes": list(classes), "counts": written_counts(mixed)})
    write_text(output.stage / "README.md", dataset_card(mixed, lines))
    write_json(output.stage / "croissant.json", croissant(mixed, lines, written))
    write_json(output.stage / "timings.json", timings)
    write_json(output.stage / "run.json", mixed.record | {"written": written})
    output.publish()


def _hashes(output: OutputFolder, lines: list[Record]) -> dict[str, str]:
    """{file: SHA-256} of the provenance and of the shards, by which `genaug verify` knows them."""
    names = {PROVENANCE, *(line["shard"] for line in lines if "shard" in line)}
    return {name: file_sha256(output.stage / name) for name in sorted(names)}


def _write_rejections(mixed: Mixed, output: OutputFolder) -> None:
    """What did not come in and why, with pictures of some; none with only_synthetic, for a copy shows a real image."""
    shown = [] if mixed.record["only_synthetic"] else mixed.rejected
    sheets, places = rejected_sheets(shown, mixed.loaded.spec.classes, SHEETS)
    for path, data in sheets.items():
        write_bytes(output.stage / path, data)
    lines = (
        _rejection(one) | ({"picture": places[row]} if row in places else {}) for row, one in enumerate(mixed.rejected)
    )
    write_json_lines(output.stage / REJECTIONS, lines)


def _rejection(one: Rejection) -> Record:
    """A line about a candidate that did not come in; `genaug sample --first` draws it again."""
    return {
        "generator": one.generator,
        "class": one.label,
        "index": one.index,
        "selector": one.selector,
        "reason": one.reason,
        "scores": one.scores,
    }


def _write_sheets(mixed: Mixed, output: OutputFolder) -> None:
    """One sheet per class; no real image where none is written."""
    make_folder(output.stage / SHEETS)
    train, alone = mixed.loaded.train, mixed.record["only_synthetic"]
    for label, name in enumerate(mixed.loaded.spec.classes):
        drawn = [image.pixels for image in mixed.synthetic if image.label == name]
        real = [] if alone else list(train.images[train.labels == label])
        write_bytes(output.stage / SHEETS / f"{label:03d}.png", contact_sheet(name, real, drawn))
