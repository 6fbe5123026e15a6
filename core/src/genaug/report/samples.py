"""A few real and synthetic images of each class, for the first screen of the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from genaug.report.reading import ReportContent, RunContent
from genaug.report.records import ImageRecord
from genaug.report.thumbnails import Thumbnails

MOST_CLASSES = 12
_IMAGES = 3  # of each class and kind
Item = TypeVar("Item")


@dataclass(frozen=True)
class ClassSamples:
    """Thumbnails of one class as data URIs."""

    name: str
    real: tuple[str, ...]
    synthetic: tuple[str, ...]


def class_samples(content: ReportContent) -> list[ClassSamples]:
    """Samples of the first twelve classes; none where the output holds no synthetic image in a file of its own."""
    run = content.run
    if run is None or not any(image.shard is None for image in run.images):
        return []
    thumbnails = Thumbnails(content.path)
    return [_of_class(name, run, thumbnails) for name in run.record.classes[:MOST_CLASSES]]


def _of_class(name: str, run: RunContent, thumbnails: Thumbnails) -> ClassSamples:
    mine = [image for image in run.images if image.label == name and image.shard is None]
    generated = [image for image in mine if not image.tops_up] or mine
    return ClassSamples(
        name,
        _pictures(_spread(_real(name, run, mine)), thumbnails),
        _pictures([image.file_name for image in _spread(generated)], thumbnails),
    )


def _real(name: str, run: RunContent, synthetic: Sequence[ImageRecord]) -> list[str]:
    """The real training images of a class, which lie in the same folder as the synthetic ones."""
    if run.record.only_synthetic:
        return []
    homes = {image.file_name.partition("/")[0] for image in synthetic} or {"train"}
    return [file for file, label in run.real_labels.items() if label == name and file.partition("/")[0] in homes]


def _spread(items: Sequence[Item]) -> list[Item]:
    """The first, the last and one in the middle, or fewer."""
    last = len(items) - 1
    places = sorted({0, last // 2, last}) if items else []
    return [items[place] for place in places[:_IMAGES]]


def _pictures(files: Sequence[str], thumbnails: Thumbnails) -> tuple[str, ...]:
    numbers = [thumbnails.of_file(file) for file in files]
    return tuple(thumbnails.uris[number] for number in numbers if number is not None)
