"""Writes images from memory into a scratch folder, so that all input types are read in the same way."""

import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from genaug.data.decode import UnreadableError
from genaug.data.labels import check_class_name
from genaug.data.pixels import pixels_of
from genaug.data.scan import SPLIT_FOLDERS, FoundFile, Scan, Skipped, chosen
from genaug.errors import DataError
from genaug.storage import make_folder, scratch_folder, write_bytes


@dataclass(frozen=True)
class InMemoryImage:
    """One labelled image that does not come from a folder.

    image: a PIL image, array or tensor; or the bytes of an image file, written unchanged; or the path of a file, which
    is not copied. where: its position in the data, for messages. suffix: the ending of the file name.
    """

    image: Any
    label_name: str
    where: str
    suffix: str = ".png"


def scan_samples(splits: Mapping[str, Iterable[InMemoryImage]], classes: Sequence[str] | None) -> Scan:
    """A Scan of samples, given by split name, as if `scan` had found them in a folder.

    The file name is the index in the split: `<class>/000017.png`. Raises DataError if train has no usable image or a
    class name cannot be a folder name, UsageError for an unknown class.
    """
    files = _ScratchFiles()
    names = files.split_names(splits)
    found = {split: files.write(splits[name], split, name, classes) for split, name in names.items()}
    wanted = chosen(classes, found["train"]) if found["train"] else ()
    why_not = "train has no image of this class" if classes is None else "not among the chosen classes"
    kept = {split: files.kept(by_class, wanted, split, names[split], why_not) for split, by_class in found.items()}
    if not kept["train"]:
        example = "".join(f" ({entry.path}: {entry.reason})" for entry in files.skipped[:1])
        raise DataError(f"the data holds no image to train on{example}; expected at least one image and its label")
    return Scan(
        root=files.root,
        train_root=files.root / names["train"],
        splits={split: part for split, part in kept.items() if part},
        folder_names=names,
        classes=wanted,
        skipped=tuple(files.skipped),
        owner=files,
    )


class _ScratchFiles:
    """The files of one input and a list of what is left out; the files are removed together with this object."""

    def __init__(self) -> None:
        self.root = scratch_folder(self)
        self.skipped: list[Skipped] = []

    def split_names(self, given: Collection[str]) -> dict[str, str]:
        """{split: its name in the data}, train first; raises DataError without train."""
        names: dict[str, str] = {}
        for name in given:
            split = SPLIT_FOLDERS.get(name)
            if split is None or split in names:
                why = "not a split; only train, val and test are read"
                self.skipped.append(Skipped(name, split, None, why if split is None else f"a second {split} split"))
            else:
                names[split] = name
        if "train" not in names:
            raise DataError(f"expected a split called train, got {', '.join(given) or 'none'}")
        return {split: names[split] for split in ("train", "val", "test") if split in names}

    def write(
        self, samples: Iterable[InMemoryImage], split: str, folder_name: str, classes: Collection[str] | None
    ) -> dict[str, list[FoundFile]]:
        """{class: files} for every class of the samples; only files of `classes` are written, None for all."""
        found: dict[str, list[FoundFile]] = {}
        for index, sample in enumerate(samples):
            if sample.label_name not in found:
                check_class_name(sample.label_name)
                found[sample.label_name] = []
            if classes is None or sample.label_name in classes:
                found[sample.label_name] += self._files(sample, split, folder_name, index)
        return found

    def kept(
        self, by_class: Mapping[str, list[FoundFile]], wanted: Sequence[str], split: str, folder_name: str, why_not: str
    ) -> tuple[FoundFile, ...]:
        """Files of the wanted classes; every other class is listed as skipped."""
        for name in sorted(by_class.keys() - set(wanted)):
            self.skipped.append(Skipped(f"{folder_name}/{name}", split, name, why_not))
        return tuple(file for name in wanted for file in by_class.get(name, []))

    def _files(self, sample: InMemoryImage, split: str, folder_name: str, index: int) -> list[FoundFile]:
        """The file of one image; none if the image cannot become 8-bit pixels, which is listed as skipped."""
        name = f"{sample.label_name}/{index:06d}{sample.suffix}"
        path = self.root / folder_name / name
        try:
            data = _file_bytes(sample)
        except UnreadableError as error:
            self.skipped.append(Skipped(f"{folder_name}/{name}", split, sample.label_name, str(error)))
            return []
        if data is not None:
            write_bytes(make_folder(path.parent) / path.name, data)
        return [FoundFile(sample.image if data is None else path, split, sample.label_name, name)]


def _file_bytes(sample: InMemoryImage) -> bytes | None:
    """The bytes to write; None if the image is a file already."""
    if isinstance(sample.image, Path):
        return None
    return sample.image if isinstance(sample.image, bytes) else _png(pixels_of(sample.image, sample.where))


def _png(pixels: NDArray[np.uint8]) -> bytes:
    """uint8 [H, W, C], C 1 or 3, as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(buffer, "PNG")
    return buffer.getvalue()
