"""A mixed set as the images of an output, each with its provenance line: here numbers become names."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from genaug.data.decode import decode_bytes
from genaug.data.duplicates import pixel_hash
from genaug.data.folder import LabelledImages
from genaug.mixing.candidate import Candidate
from genaug.mixing.mixed import MixedSet
from genaug.output.file_names import converted, flat_names, synthetic_name
from genaug.output.formats import Entry
from genaug.output.mark import marked_png, png
from genaug.output.provenance import SIZE, draw_record

Record = dict[str, Any]


@dataclass(frozen=True)
class _Paths:
    """Where the real files of a split are placed: paths relative to OUT, by their names in the input."""

    folder: str
    by_name: dict[str, str]


def entries(mixed: MixedSet) -> dict[str, list[Entry]]:
    """The images to write, by split. With `only_synthetic` these are the synthetic images alone.

    Parents and nearest images are then named as in the input, since no real file is written.
    """
    if mixed.record["only_synthetic"]:
        own = {name: name for name in mixed.loaded.train.names}
        return {"train": list(_synthetic(mixed, _Paths(_folder(mixed, "train"), own)))}
    paths = {split: _paths(mixed, split) for split in mixed.loaded.splits}
    found = {split: list(_real(mixed, split, paths[split])) for split in paths}
    found["train"] += _synthetic(mixed, paths["train"])
    return found


def written_counts(mixed: MixedSet) -> dict[str, dict[str, int]]:
    """{class: {"real", "classical", "generated": images}} of the training split that the output holds."""
    alone = mixed.record["only_synthetic"]
    return {name: count | ({"real": 0} if alone else {}) for name, count in mixed.counts().items()}


def candidate_name(mixed: MixedSet, candidate: Candidate) -> str:
    """`<class>/<file>` of a candidate, used or rejected."""
    return f"{mixed.classes[candidate.label]}/{synthetic_name(candidate.generator, candidate.index)}"


def _paths(mixed: MixedSet, split: str) -> _Paths:
    images, folder = mixed.loaded.splits[split], _folder(mixed, split)
    synthetic = mixed.synthetic if split == "train" else ()
    reserved = [(mixed.classes[one.label], synthetic_name(one.generator, one.index)) for one in synthetic]
    pairs = [(name, facts.format) for name, facts in zip(images.names, images.facts, strict=True)]
    flat = flat_names(pairs, reserved, as_png=_resampled(mixed, split))
    labels = [mixed.classes[label] for label in images.labels]
    files = zip(images.names, labels, flat, strict=True)
    return _Paths(folder, {name: f"{folder}/{label}/{file}" for name, label, file in files})


def _folder(mixed: MixedSet, split: str) -> str:
    return mixed.loaded.scan.folder_names.get(split, split)


def _resampled(mixed: MixedSet, split: str) -> bool:
    """Whether the real images of a split are written at another size than their own."""
    return split == "train" and mixed.resolution.common_size is not None


def _real(mixed: MixedSet, split: str, paths: _Paths) -> Iterator[Entry]:
    images, resampled = mixed.loaded.splits[split], _resampled(mixed, split)
    for place, name in enumerate(images.names):
        pixels = mixed.resolution.real_pixels(images, place) if resampled else None
        line = {
            "file_name": paths.by_name[name],
            "pixels": images.hashes[place] if pixels is None else pixel_hash(pixels),
            "split": split,
            "label": mixed.classes[images.labels[place]],
            "synthetic": False,
            "kind": "real",
            "source": name,
            "source_sha256": images.sha256[place],
            "source_pixels": images.hashes[place],
            "weight": 1.0,
        }
        if pixels is None:
            yield _copied(images, place, line, mixed.loaded.scan.root)
        else:
            yield Entry(line, partial(_real_png, mixed, images, place))


def _real_png(mixed: MixedSet, images: LabelledImages, place: int) -> bytes:
    return png(mixed.resolution.real_pixels(images, place))


def _copied(images: LabelledImages, place: int, line: Record, root: Path) -> Entry:
    """The file as it is, or as PNG where common readers would skip it."""
    if converted(images.facts[place].format, images.names[place]):
        return Entry(line, lambda: png(decode_bytes(images.file_bytes(place)).pixels))
    path = images.paths[place]  # that of a data set in memory may lie elsewhere
    return Entry(line, partial(images.file_bytes, place), path, root if path.is_relative_to(root) else None)


def _synthetic(mixed: MixedSet, train: _Paths) -> Iterator[Entry]:
    names = [train.by_name[name] for name in mixed.loaded.train.names]
    for one in mixed.synthetic:
        draw = draw_record(
            genaug=mixed.record["genaug"],
            generator=one.generator,
            plugin=mixed.record["plugins"][one.generator],
            model=one.model,
            seed=mixed.record["seed"],
            class_name=mixed.classes[one.label],
            index=one.index,
        )
        pixels = mixed.resolution.pixels(one)
        draw |= {SIZE: list(pixels.shape[:2])}
        line = draw | {
            "file_name": f"{train.folder}/{candidate_name(mixed, one)}",
            "pixels": pixel_hash(pixels),
            "split": "train",
            "label": mixed.classes[one.label],
            "synthetic": True,
            "kind": one.kind,
            "tops_up": one.tops_up,
            "parents": [names[row] for row in one.parents],
            "scores": one.scores,
            "weight": one.weight,
            "nearest": {"file_name": names[one.nearest], "distance": round(one.distance, 6)},
        }
        yield Entry(line, partial(_synthetic_png, mixed, one, draw))


def _synthetic_png(mixed: MixedSet, candidate: Candidate, draw: Record) -> bytes:
    return marked_png(mixed.resolution.pixels(candidate), draw)
