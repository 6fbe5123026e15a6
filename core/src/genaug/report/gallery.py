"""The galleries of the page: which synthetic images and rejected candidates the page shows, and their data."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from markupsafe import Markup

from genaug.output.files import PROVENANCE
from genaug.report.reading import ReportContent, RunContent, limit_per_class
from genaug.report.records import CopiedImage, ImageRecord, NearestImage, RejectionRecord
from genaug.report.thumbnails import Thumbnails

_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


@dataclass(frozen=True)
class FilterChoices:
    """The values by which images can be filtered."""

    classes: tuple[str, ...]
    generators: tuple[str, ...]
    scores: tuple[str, ...]
    selectors: tuple[str, ...]


@dataclass(frozen=True)
class Gallery:
    """Data for the script of the page, and the numbers that the page itself gives.

    shown, rejected: synthetic images and rejected candidates on the page. pictured: rejected candidates that have a
    picture. per_class: the limit for each class. missing: number of files that could not be shown.
    """

    data: Markup
    choices: FilterChoices
    shown: int
    rejected: int
    pictured: int
    per_class: int
    missing: int


def make_gallery(content: ReportContent) -> Gallery | None:
    """The galleries of a run; None without a run, synthetic images and rejected candidates."""
    run = content.run
    if run is None or not (run.images or run.rejections):
        return None
    images, rejections = run.images, run.rejections
    choices, thumbnails = _choices(run, images, rejections), Thumbnails(content.path)
    data = {
        "key": run.record.written.get(PROVENANCE, ""),
        "rejected_before": run.record.manual_rejection_list,
        "images": [_image(image, run, thumbnails) for image in images],
        "rejected": [_rejection(rejection, thumbnails) for rejection in rejections],
    }
    return Gallery(
        data=script_json(asdict(choices) | data | {"pictures": thumbnails.uris}),
        choices=choices,
        shown=len(images),
        rejected=len(rejections),
        pictured=sum(rejection.picture is not None for rejection in rejections),
        per_class=limit_per_class(len(run.record.classes)),
        missing=len(thumbnails.missing),
    )


def _choices(run: RunContent, images: Sequence[ImageRecord], rejections: Sequence[RejectionRecord]) -> FilterChoices:
    items: list[ImageRecord | RejectionRecord] = [*images, *rejections]
    return FilterChoices(
        classes=run.record.classes,
        generators=tuple(sorted({item.generator for item in items})),
        scores=tuple(sorted({name for item in items for name in item.scores})),
        selectors=tuple(sorted({rejection.selector for rejection in rejections})),
    )


def script_json(values: Any) -> Markup:
    """JSON that no text in it can end early when it stands inside a script element."""
    return Markup(json.dumps(values, separators=(",", ":")).translate(_ESCAPES))


def _image(image: ImageRecord, run: RunContent, thumbnails: Thumbnails) -> dict[str, Any]:
    return {
        "file": image.file_name,
        "class": image.label,
        "generator": image.generator,
        "scores": _rounded(image.scores),
        "weight": image.weight,
        "picture": None if image.shard else thumbnails.of_file(image.file_name),
        "nearest": image.nearest and _nearest(image.nearest, run, None if image.shard else thumbnails),
    }


def _nearest(nearest: NearestImage, run: RunContent, thumbnails: Thumbnails | None) -> dict[str, Any]:
    """The nearest real image with its class. Without real images in OUT it is named as in DATA: `<class>/<file>`."""
    name, alone = nearest.file_name, run.record.only_synthetic
    label = name.partition("/")[0] if alone else run.real_labels.get(name, "")
    picture = None if alone or thumbnails is None else thumbnails.of_file(name)
    return {"file": name, "class": label, "distance": round(nearest.distance, 4), "picture": picture}


def _rejection(rejection: RejectionRecord, thumbnails: Thumbnails) -> dict[str, Any]:
    return {
        "file": f"{rejection.generator} {rejection.index}",
        "class": rejection.label,
        "generator": rejection.generator,
        "selector": rejection.selector,
        "reason": rejection.reason,
        "scores": _rounded(rejection.scores),
        "picture": rejection.picture and thumbnails.of_sheet(rejection.picture),
        "copied": rejection.copied and _copied(rejection.copied, thumbnails),
    }


def _copied(copied: CopiedImage, thumbnails: Thumbnails) -> dict[str, Any]:
    picture = copied.picture and thumbnails.of_sheet(copied.picture)
    return {"file": copied.name, "class": copied.label, "picture": picture}


def _rounded(scores: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in scores.items()}
