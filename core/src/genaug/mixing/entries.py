"""A mixed data set as images on their way to the output, each with its line of provenance."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from genaug.data.decode import decode
from genaug.data.duplicates import pixel_hash
from genaug.data.folder import LabelledImages
from genaug.mixing.formats import Entry
from genaug.mixing.mixed import Mixed, Synthetic
from genaug.mixing.names import converted, flat_names
from genaug.mixing.origin import marked_png, png
from genaug.storage import file_bytes

Record = dict[str, Any]


@dataclass(frozen=True)
class _Placed:
    """Where the real files of a split come to lie: paths relative to OUT, by their names in the input."""

    folder: str
    paths: dict[str, str]


def entries(mixed: Mixed) -> dict[str, list[Entry]]:
    """What is written, by split: of `only_synthetic` the synthetic images alone, whose parents keep their own names."""
    if mixed.record["only_synthetic"]:
        own = {name: name for name in mixed.loaded.train.names}
        return {"train": list(_synthetic(mixed, _Placed(_folder(mixed, "train"), own)))}
    placed = {split: _placed(mixed, split) for split in mixed.loaded.splits}
    made = {split: list(_real(mixed, split, placed[split])) for split in placed}
    made["train"] += _synthetic(mixed, placed["train"])
    return made


def written_counts(mixed: Mixed) -> dict[str, dict[str, int]]:
    """Real and synthetic images that the output's training split holds, by class."""
    alone = mixed.record["only_synthetic"]
    return {name: count | ({"real": 0} if alone else {}) for name, count in mixed.counts().items()}


def _placed(mixed: Mixed, split: str) -> _Placed:
    images, folder = mixed.loaded.splits[split], _folder(mixed, split)
    reserved = [(image.label, image.name) for image in mixed.synthetic] if split == "train" else []
    pairs = [(name, facts.format) for name, facts in zip(images.names, images.facts, strict=True)]
    flat = flat_names(pairs, reserved)
    labels = [mixed.loaded.spec.classes[label] for label in images.labels]
    paths = {name: f"{folder}/{label}/{file}" for name, label, file in zip(images.names, labels, flat, strict=True)}
    return _Placed(folder, paths)


def _folder(mixed: Mixed, split: str) -> str:
    return mixed.loaded.scan.folder_names.get(split, split)


def _real(mixed: Mixed, split: str, placed: _Placed) -> Iterator[Entry]:
    images = mixed.loaded.splits[split]
    for place, name in enumerate(images.names):
        line = {
            "file_name": placed.paths[name],
            "pixels": images.hashes[place],
            "split": split,
            "label": mixed.loaded.spec.classes[images.labels[place]],
            "synthetic": False,
            "source": name,
            "weight": 1.0,
        }
        yield _copied(images, place, line)


def _copied(images: LabelledImages, place: int, line: Record) -> Entry:
    """The file as it is, or as PNG where readers would pass over it."""
    source = images.paths[place]
    if converted(images.facts[place].format, images.names[place]):
        return Entry(line, lambda: png(decode(source).pixels))
    return Entry(line, partial(file_bytes, source), source)


def _synthetic(mixed: Mixed, train: _Placed) -> Iterator[Entry]:
    for image in mixed.synthetic:
        facts = _draw_of(image, mixed)
        line = facts | {
            "file_name": f"{train.folder}/{image.label}/{image.name}",
            "pixels": pixel_hash(image.pixels),
            "split": "train",
            "label": image.label,
            "synthetic": True,
            "parents": [train.paths[name] for name in image.parents],
            "scores": image.scores,
            "weight": image.weight,
            "nearest": {"file_name": train.paths[image.nearest], "distance": round(image.distance, 6)},
        }
        yield Entry(line, partial(marked_png, image.pixels, facts))


def _draw_of(image: Synthetic, mixed: Mixed) -> Record:
    """What decides one image: enough to draw it again from the model."""
    return {
        "genaug": mixed.record["genaug"],
        "generator": image.generator,
        "plugin": mixed.record["plugins"][image.generator],
        "model": image.model,
        "seed": mixed.record["seed"],
        "class": image.label,
        "index": image.index,
    }
