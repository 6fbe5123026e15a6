"""Writes a mixed data set: a drop-in replacement of the input, each file accounted for, whole or not at all."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from genaug.data.decode import decode
from genaug.data.folder import LabelledImages
from genaug.mixing.card import dataset_card
from genaug.mixing.mixed import Mixed, Synthetic
from genaug.mixing.names import converted, flat_names
from genaug.mixing.origin import marked_png, png
from genaug.mixing.output import PROVENANCE, OutputFolder
from genaug.mixing.sheet import contact_sheet
from genaug.storage import copy_file, make_folder, remove, write_bytes, write_json, write_json_lines, write_text

SHEETS = "contact-sheets"
Record = dict[str, Any]


@dataclass(frozen=True)
class _Placed:
    """Where the real files of a split come to lie: paths relative to OUT, by their names in the input."""

    folder: str
    paths: dict[str, str]


def write(mixed: Mixed, output: OutputFolder, timings: Record) -> None:
    """Stage everything inside OUT/.genaug, then publish it."""
    remove(output.stage)
    make_folder(output.stage)
    placed = {split: _placed(mixed, split) for split in mixed.loaded.splits}
    records = [*_write_real(mixed, output, placed), *_write_synthetic(mixed, output, placed["train"])]
    write_json_lines(output.stage / PROVENANCE, sorted(records, key=lambda record: record["file_name"]))
    _write_sheets(mixed, output)
    write_json(output.stage / "classes.json", {"classes": list(mixed.loaded.spec.classes), "counts": mixed.counts()})
    write_text(output.stage / "README.md", dataset_card(mixed))
    write_json(output.stage / "timings.json", timings)
    write_json(output.stage / "run.json", mixed.record)
    output.publish()


def _placed(mixed: Mixed, split: str) -> _Placed:
    images, folder = mixed.loaded.splits[split], mixed.loaded.scan.folder_names.get(split, split)
    reserved = [(image.label, image.name) for image in mixed.synthetic] if split == "train" else []
    pairs = [(name, facts.format) for name, facts in zip(images.names, images.facts, strict=True)]
    flat = flat_names(pairs, reserved)
    labels = [mixed.loaded.spec.classes[label] for label in images.labels]
    paths = {name: f"{folder}/{label}/{file}" for name, label, file in zip(images.names, labels, flat, strict=True)}
    return _Placed(folder, paths)


def _write_real(mixed: Mixed, output: OutputFolder, placed: dict[str, _Placed]) -> Iterator[Record]:
    hardlink = mixed.record["copy_mode"] == "hardlink"
    for split, images in mixed.loaded.splits.items():
        for label in sorted(set(images.labels.tolist())):
            make_folder(output.stage / placed[split].folder / mixed.loaded.spec.classes[label])
        for place in range(len(images)):
            yield _write_one(images, place, placed[split], split, output, mixed, hardlink=hardlink)


def _write_one(
    images: LabelledImages,
    place: int,
    placed: _Placed,
    split: str,
    output: OutputFolder,
    mixed: Mixed,
    *,
    hardlink: bool,
) -> Record:
    name, source, digest = images.names[place], images.paths[place], images.sha256[place]
    target = output.stage / placed.paths[name]
    if converted(images.facts[place].format, name):
        data = png(decode(source).pixels)
        digest = hashlib.sha256(data).hexdigest()
        write_bytes(target, data)
    else:
        copy_file(source, target, hardlink=hardlink)
    label = mixed.loaded.spec.classes[images.labels[place]]
    shared = {"file_name": placed.paths[name], "sha256": digest, "split": split, "label": label}
    return shared | {"synthetic": False, "source": name}


def _write_synthetic(mixed: Mixed, output: OutputFolder, train: _Placed) -> Iterator[Record]:
    for image in mixed.synthetic:
        path = f"{train.folder}/{image.label}/{image.name}"
        data = marked_png(image.pixels, _draw_of(image, mixed))
        write_bytes(output.stage / path, data)
        yield _draw_of(image, mixed) | {
            "file_name": path,
            "sha256": hashlib.sha256(data).hexdigest(),
            "split": "train",
            "label": image.label,
            "synthetic": True,
            "parents": [train.paths[name] for name in image.parents],
            "scores": {},
            "nearest": {"file_name": train.paths[image.nearest], "distance": round(image.distance, 6)},
        }


def _draw_of(image: Synthetic, mixed: Mixed) -> Record:
    """What decides one image: enough to draw it again from the model."""
    return {
        "genaug": mixed.record["genaug"],
        "generator": image.generator,
        "plugin": mixed.record["generator"]["plugin"],
        "seed": mixed.record["seed"],
        "class": image.label,
        "index": image.index,
    }


def _write_sheets(mixed: Mixed, output: OutputFolder) -> None:
    make_folder(output.stage / SHEETS)
    train = mixed.loaded.train
    for label, name in enumerate(mixed.loaded.spec.classes):
        drawn = [image.pixels for image in mixed.synthetic if image.label == name]
        data = contact_sheet(name, list(train.images[train.labels == label]), drawn)
        write_bytes(output.stage / SHEETS / f"{label:03d}.png", data)
