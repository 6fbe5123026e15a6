"""Refuses data to learn from that holds synthetic images of genaug."""

from collections.abc import Iterator
from pathlib import Path

from genaug.data.description import DescribedFolder
from genaug.errors import DataError
from genaug.output.provenance import synthetic_names
from genaug.storage import real_path


def refuse_synthetic(loaded: DescribedFolder) -> None:
    """Raise DataError if the marks of images, or the provenance beside them, call some of them synthetic."""
    for name in (*_marked(loaded), *_recorded(loaded.scan.root)):
        raise DataError(
            f"{loaded.scan.root} holds synthetic images of genaug, such as {name}, which would count as real ones; "
            "give the folder of real images that they were created from"
        )


def _marked(loaded: DescribedFolder) -> Iterator[str]:
    for images in loaded.splits.values():
        yield from (name for name, facts in zip(images.names, images.facts, strict=True) if facts.marked)


def _recorded(root: Path) -> Iterator[str]:
    """Synthetic images by the provenance in the folder, or beside it where the folder is OUT/train."""
    yield from synthetic_names(root)
    home = real_path(root)
    yield from (name for name in synthetic_names(home.parent) if name.startswith(f"{home.name}/"))
