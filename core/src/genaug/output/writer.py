"""Writes a mixed set as an output folder; the output appears whole or not at all."""

from collections.abc import Callable
from typing import Any

import numpy as np

from genaug.mixing.mixed import MixedSet
from genaug.output.card import dataset_card
from genaug.output.contact_sheets import MOST, SheetRow, contact_sheet
from genaug.output.croissant import croissant
from genaug.output.entries import entries, written_counts
from genaug.output.files import CARD, CLASSES, CROISSANT, PROVENANCE, SHEETS, TIMINGS
from genaug.output.folder import OutputFolder
from genaug.output.formats import write_images
from genaug.output.inventory import Inventory
from genaug.output.provenance import write_provenance
from genaug.output.rejections import write_rejections
from genaug.output.run_file import write_run
from genaug.storage import file_sha256, make_folder, remove, write_bytes, write_json, write_text

Record = dict[str, Any]


def write(mixed: MixedSet, output: OutputFolder, timings: Callable[[], Record]) -> None:
    """Write everything to a stage inside OUT/.genaug, then move it into place.

    timings: called when the images are written, so that it can count the time of writing them.
    """
    stage, classes, alone = output.stage, mixed.classes, mixed.record["only_synthetic"]
    remove(stage)
    make_folder(stage)
    inventory = Inventory()
    lines = write_images(mixed.record["format"], entries(mixed), stage, classes)
    write_provenance(stage, inventory.passing(lines))
    written = {name: file_sha256(stage / name) for name in sorted({PROVENANCE, *inventory.shards})}
    _write_sheets(mixed, output, real=not alone)
    write_rejections(stage, mixed.rejected, mixed.loaded.train, pictures=not alone)  # a copy shows a real image
    write_json(stage / CLASSES, _classes(mixed))
    write_text(stage / CARD, dataset_card(mixed, inventory))
    write_json(stage / CROISSANT, croissant(mixed, inventory, written))
    write_json(stage / TIMINGS, timings())
    write_run(stage, mixed.record, written)
    output.publish()


def _classes(mixed: MixedSet) -> Record:
    """The classes, their counts, and at which size to train; None where images keep their own sizes."""
    size = mixed.resolution.common_size
    return {
        "classes": list(mixed.classes),
        "counts": written_counts(mixed),
        "train_size": None if size is None else list(size),
        "preparation": mixed.resolution.advice(),
    }


def _write_sheets(mixed: MixedSet, output: OutputFolder, *, real: bool) -> None:
    """One contact sheet for each class."""
    make_folder(output.stage / SHEETS)
    train, labels, generated = mixed.loaded.train, mixed.synthetic.labels, mixed.synthetic.generated
    for label, name in enumerate(mixed.classes):
        rows = []
        if real:
            own = list(train.images[train.labels == label][:MOST])
            rows.append(SheetRow("real", own, train.spec.counts[label]))
        for kind, chosen in {"classical": ~generated, "generated": generated}.items():
            places = np.flatnonzero((labels == label) & chosen).tolist()
            rows.append(SheetRow(kind, [mixed.synthetic[place].pixels for place in places[:MOST]], len(places)))
        write_bytes(output.stage / SHEETS / f"{label:03d}.png", contact_sheet(name, rows))
