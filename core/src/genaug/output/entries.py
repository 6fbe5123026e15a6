"""A mixed set as the images of an output, each with its provenance line: here numbers become names."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from genaug.data.decode import decode_bytes
from genaug.data.duplicates import pixel_hash
from genaug.data.folder import LabelledImages
from genaug.mixing.candidate import Candidate
from genaug.mixing.mixed import MixedSet
from genaug.output.file_names import SyntheticNames, converted, flat_names, synthetic_name
from genaug.output.formats import Entries, Entry, UserFile
from genaug.output.mark import marked_png, png
from genaug.output.provenance import SIZE, draw_record

Record = dict[str, Any]


@dataclass(frozen=True)
class _Paths:
    """Where the real files of a split are placed: paths relative to OUT, by their names in the input."""

    folder: str
    by_name: dict[str, str]


def entries(mixed: MixedSet) -> dict[str, Entries]:
    """The images to write, by split. With `only_synthetic` these are the synthetic images alone.

    Parents and nearest images are then named as in the input, since no real file is written.
    """
    if mixed.record["only_synthetic"]:
        own = {name: name for name in mixed.loaded.train.names}
        synthetic = _Synthetic(mixed, _Paths(_folder(mixed, "train"), own))
        return {"train": Entries(len(mixed.synthetic), synthetic.entry)}
    paths = {split: _paths(mixed, split) for split in mixed.loaded.splits}
    found = {
        split: Entries(len(images), partial(_real, mixed, split, paths[split]))
        for split, images in mixed.loaded.splits.items()
    }
    return found | {"train": _joined(found["train"], _Synthetic(mixed, paths["train"]))}


def _joined(real: Entries, synthetic: "_Synthetic") -> Entries:
    """The entries of the training split: real images, then synthetic ones."""

    def entry(row: int) -> Entry:
        return real[row] if row < len(real) else synthetic.entry(row - len(real))

    return Entries(len(real) + synthetic.count, entry)


def written_counts(mixed: MixedSet) -> dict[str, dict[str, int]]:
    """{class: {"real", "classical", "generated": images}} of the training split that the output holds."""
    alone = mixed.record["only_synthetic"]
    return {name: count | ({"real": 0} if alone else {}) for name, count in mixed.counts().items()}


def candidate_name(mixed: MixedSet, candidate: Candidate) -> str:
    """`<class>/<file>` of a candidate, used or rejected."""
    return f"{mixed.classes[candidate.label]}/{synthetic_name(candidate.generator, candidate.index)}"


def _paths(mixed: MixedSet, split: str) -> _Paths:
    images, folder = mixed.loaded.splits[split], _folder(mixed, split)
    reserved = _reserved(mixed) if split == "train" else ()
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


def _reserved(mixed: MixedSet) -> SyntheticNames:
    numbers = mixed.synthetic.numbers().items()
    return SyntheticNames({(mixed.classes[label], generator): indices for (label, generator), indices in numbers})


def _real(mixed: MixedSet, split: str, paths: _Paths, place: int) -> Entry:
    """The entry of a real image: its file as it is, or as PNG where it is resized or common readers would skip it."""
    images = mixed.loaded.splits[split]
    name = images.names[place]
    line = {
        "file_name": paths.by_name[name],
        "pixels": images.hashes[place],
        "split": split,
        "label": mixed.classes[images.labels[place]],
        "synthetic": False,
        "kind": "real",
        "source": name,
        "source_sha256": images.sha256[place],
        "source_pixels": images.hashes[place],
        "weight": 1.0,
    }
    if _resampled(mixed, split):
        return Entry(line["file_name"], partial(_resized, mixed, images, place, line))
    if converted(images.facts[place].format, name):
        return Entry(line["file_name"], lambda: (line, png(decode_bytes(images.file_bytes(place)).pixels)))
    path, root = images.paths[place], mixed.loaded.scan.root  # that of a data set in memory may lie elsewhere
    copied = UserFile(line, path, root if path.is_relative_to(root) else None)
    return Entry(line["file_name"], lambda: (line, images.file_bytes(place)), copied)


def _resized(mixed: MixedSet, images: LabelledImages, place: int, line: Record) -> tuple[Record, bytes]:
    pixels = mixed.resolution.real_pixels(images, place)
    return line | {"pixels": pixel_hash(pixels)}, png(pixels)


class _Synthetic:
    """The entries of the synthetic images."""

    def __init__(self, mixed: MixedSet, train: _Paths) -> None:
        self.count = len(mixed.synthetic)
        self._mixed, self._folder = mixed, train.folder
        self._names = [train.by_name[name] for name in mixed.loaded.train.names]

    def entry(self, row: int) -> Entry:
        """The entry of one of them."""
        one = self._mixed.synthetic[row]
        return Entry(f"{self._folder}/{candidate_name(self._mixed, one)}", partial(self._make, one))

    def _make(self, one: Candidate) -> tuple[Record, bytes]:
        mixed = self._mixed
        pixels = mixed.resolution.pixels(one)
        draw = draw_record(
            genaug=mixed.record["genaug"],
            generator=one.generator,
            plugin=mixed.record["plugins"][one.generator],
            model=one.model,
            seed=mixed.record["seed"],
            class_name=mixed.classes[one.label],
            index=one.index,
        ) | {SIZE: list(pixels.shape[:2])}
        line = draw | {
            "file_name": f"{self._folder}/{candidate_name(mixed, one)}",
            "pixels": pixel_hash(pixels),
            "split": "train",
            "label": mixed.classes[one.label],
            "synthetic": True,
            "kind": one.kind,
            "tops_up": one.tops_up,
            "parents": [self._names[row] for row in one.parents],
            "scores": one.scores,
            "weight": one.weight,
            "nearest": {"file_name": self._names[one.nearest], "distance": round(one.distance, 6)},
        }
        return line, marked_png(pixels, draw)
