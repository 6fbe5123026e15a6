"""Training images that are, or nearly are, images of another split."""

from collections.abc import Iterator, Sequence

import numpy as np

from genaug.audit.look import Finding, Seen
from genaug.data.duplicates import NEAR, Vectors, nearest
from genaug.mixing.lines import Line


def held_out(lines: Sequence[Line], seen: Sequence[Seen]) -> dict[str, str]:
    """{hash of pixels: image} of what must not be trained on: as recorded, gone or not, and as it lies there now."""
    recorded = {line["pixels"]: line["file_name"] for line in lines if line["split"] != "train"}
    return {one.pixels: one.name for one in seen if one.pixels and one.member.split != "train"} | recorded


def leaks(lines: Sequence[Line], seen: Sequence[Seen]) -> Iterator[Finding]:
    """A finding for each training image, real or synthetic, recorded or not, that a held-out one gives away."""
    hashes = held_out(lines, seen)
    training = [one for one in seen if one.member.split == "train" and one.pixels]
    for one in training:
        if one.pixels in hashes:
            yield Finding("leaked", one.name, f"the same picture as {hashes[one.pixels]}")
    yield from _near([one for one in training if one.pixels not in hashes], seen)


def _near(training: Sequence[Seen], seen: Sequence[Seen]) -> Iterator[Finding]:
    others = [one for one in seen if one.member.split != "train"]
    ours, theirs = _thumbnails(training), _thumbnails(others)
    if not (ours and theirs):
        return
    names = list(theirs)
    rows, distances = nearest(np.stack([*ours.values()]), np.stack([*theirs.values()]))
    for name, row, distance in zip(ours, rows, distances, strict=True):
        if 1.0 - distance >= NEAR:
            detail = f"nearly the same picture as {names[row]} (correlation {1.0 - distance:.3f})"
            yield Finding("leaked", name, detail)


def _thumbnails(images: Sequence[Seen]) -> dict[str, Vectors]:
    return {one.name: one.thumbnail for one in images if one.thumbnail is not None}
