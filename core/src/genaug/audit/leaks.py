"""Training images that are, or nearly are, images of another split."""

from collections.abc import Iterator, Sequence

import numpy as np

from genaug.audit.survey import Finding, SurveyedImage
from genaug.data.duplicates import Vectors, near_matches
from genaug.output.provenance import ProvenanceLine


def held_out(lines: Sequence[ProvenanceLine], images: Sequence[SurveyedImage]) -> dict[str, str]:
    """{hash of pixels: image} of the held-out images: those recorded, even if they are gone, and those stored now."""
    recorded = {line["pixels"]: line["file_name"] for line in lines if line["split"] != "train"}
    return {one.pixels: one.name for one in images if one.pixels and one.split != "train"} | recorded


def leaks(lines: Sequence[ProvenanceLine], images: Sequence[SurveyedImage]) -> Iterator[Finding]:
    """A finding for each training image that is, or nearly is, a held-out image; recorded or not, real or synthetic."""
    hashes = held_out(lines, images)
    training = [one for one in images if one.split == "train" and one.pixels]
    for one in training:
        if one.pixels in hashes:
            yield Finding("leaked", one.name, f"the same picture as {hashes[one.pixels]}")
    yield from _near([one for one in training if one.pixels not in hashes], images)


def _near(training: Sequence[SurveyedImage], images: Sequence[SurveyedImage]) -> Iterator[Finding]:
    others = [one for one in images if one.split != "train"]
    ours, theirs = _thumbnails(training), _thumbnails(others)
    if not (ours and theirs):
        return
    names, references = list(theirs), np.stack([*theirs.values()])
    for (name, own), row in zip(ours.items(), near_matches(np.stack([*ours.values()]), references), strict=True):
        if row >= 0:
            detail = f"nearly the same picture as {names[row]} (correlation {own @ references[row]:.3f})"
            yield Finding("leaked", name, detail)


def _thumbnails(images: Sequence[SurveyedImage]) -> dict[str, Vectors]:
    return {one.name: one.thumbnail for one in images if one.thumbnail is not None}
