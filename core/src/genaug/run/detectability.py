"""Measures how well the generated images of a run can be told from its real ones, as the output holds them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genaug.evaluation.detectability import Detectability, OriginViews, detect, sample
from genaug.executors import Report
from genaug.features import near_groups
from genaug.metrics.areas import Area, area_within_classes
from genaug.metrics.shortcut import shortcut_risk
from genaug.mixing.mixed import MixedSet
from genaug.mixing.resolution import scaled
from genaug.mixing.written import WrittenImages
from genaug.output.files import JUDGES
from genaug.run.job import Job
from genaug.run.shortcut import found_shortcut, origin_bits, origin_table, possible_shortcut

_KINDS = ("real", "classical", "generated")
_GENERATED = _KINDS.index("generated")
_DIGITS = 4

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Compared:
    """The images of a mixed set that are compared: at most 100 of each class and kind.

    rows: int64 [N], their places among `WrittenImages`. labels: int64 [N], their classes. kinds: int64 [N], places in
    `real, classical, generated`. groups: int64 [N], those of near-duplicates of their source images. side: the shorter
    side in pixels at which a classifier will be trained.
    """

    mixed: MixedSet
    rows: Rows
    labels: Rows
    kinds: Rows
    groups: Rows
    side: int

    @property
    def generated(self) -> NDArray[np.bool_]:
        """Which of them are generated, bool [N]; the others are the real side."""
        generated: NDArray[np.bool_] = self.kinds == _GENERATED
        return generated

    def views(self, places: Rows) -> OriginViews:
        """These of the N images as the detectors see them."""
        written, loaded = WrittenImages(self.mixed), self.mixed.loaded
        images = (written[row] for row in self.rows[places].tolist())
        return OriginViews.of(images, scaled(loaded.spec, self.side), loaded.resize)


def compared(mixed: MixedSet, job: Job) -> Compared:
    """The images that the check of a run compares."""
    labels, kinds, groups = _labels(mixed), _kinds(mixed), _groups(mixed)
    rows = sample(labels, kinds, job.config.seed)
    return Compared(mixed, rows, labels[rows], kinds[rows], groups[rows], train_side(mixed, job.config.train_size))


def detector_steps(job: Job) -> int:
    """Training steps of each classifier that tells origins apart: a quarter of those of a judge."""
    return max(1, job.config.judge_steps // 4)


def check_detectability(
    mixed: MixedSet, job: Job, folder: Path, workers: int | None, report: Report
) -> tuple[dict[str, Any], Sequence[str]]:
    """Figures under the key `detectability`, and a sentence if a shortcut is planted.

    The key is None without synthetic images, and where checks were not requested: then the sentence supposes that every
    generated image can be recognised.

    Generated images are compared with the real side, real and classical ones together; classical ones with real ones
    by their blur alone. At most 100 images of each class and kind are read.
    """
    if not (mixed.synthetic and job.config.check):
        return {"detectability": None}, possible_shortcut(mixed.counts())
    counts, images = mixed.counts(), compared(mixed, job)
    labels, groups, real, side = images.labels, images.groups, ~images.generated, images.side
    views = images.views(np.arange(len(labels)))
    found = detect(
        views,
        labels,
        images.generated,
        groups,
        seed=job.config.seed,
        steps=detector_steps(job),
        folder=folder / JUDGES,
        workers=workers,
        report=report,
    )
    classical = area_within_classes(views.blurs[real], (images.kinds == 1)[real], labels[real], groups[real])
    risk = _risk(counts, found)
    sentences = possible_shortcut(counts) if found is None else found_shortcut(counts, found, risk or 0.0)
    figures = {
        "train_size": side,
        "origin_bits": round(origin_bits(counts), _DIGITS),
        "shortcut_bits": None if risk is None else round(risk, _DIGITS),
        "classifier": None if found is None else _detector(found.classifier),
        "blur": None if found is None else _detector(found.blur),
        "classical_blur": None if classical is None else _area(classical),
        "sentence": _sentence(found, classical, side),
    }
    return {"detectability": figures}, sentences


def train_side(mixed: MixedSet, given: int | None) -> int:
    """The shorter side in pixels at which a classifier will be trained.

    given: by --train-size. Otherwise that of all training images, or the median of their shorter sides.
    """
    if given is not None:
        return given
    if mixed.resolution.common_size is not None:
        return min(mixed.resolution.common_size)
    images = mixed.loaded.splits["train"]
    by_name = {name: min(one.height, one.width) for name, one in zip(images.names, images.facts, strict=True)}
    real = [by_name[name] for name in mixed.loaded.train.names]
    synthetic = [
        real[one.parents[0]] if one.generator in mixed.resolution.variants else min(mixed.resolution.size(one))
        for one in mixed.synthetic
    ]
    return max(8, round(median([*real, *synthetic])))


def _labels(mixed: MixedSet) -> Rows:
    """The label of each written image, real ones first: int64 [N + S]."""
    return np.concatenate([mixed.loaded.train.labels, mixed.synthetic.labels])


def _kinds(mixed: MixedSet) -> Rows:
    """The kind of each written image, a place in _KINDS: int64 [N + S]."""
    synthetic = np.where(mixed.synthetic.generated, _GENERATED, _KINDS.index("classical"))
    return np.concatenate([np.zeros(len(mixed.loaded.train), dtype=np.int64), synthetic])


def _groups(mixed: MixedSet) -> Rows:
    """The group of near-duplicates of each written image's source image: int64 [N + S]."""
    groups = near_groups(mixed.loaded.train)
    return np.concatenate([groups, groups[mixed.synthetic.sources]])


def _risk(counts: dict[str, dict[str, int]], found: Detectability | None) -> float | None:
    """The shortcut risk in bits, by the detector that makes it larger; None if detection was not measured."""
    if found is None:
        return None
    table = origin_table(counts)
    return max(shortcut_risk(table, one.sensitivity, one.specificity) for one in (found.blur, found.classifier))


def _detector(found: Any) -> dict[str, Any]:
    rates = {"sensitivity": round(found.sensitivity, _DIGITS), "specificity": round(found.specificity, _DIGITS)}
    return _area(found.area) | rates


def _area(area: Area) -> dict[str, Any]:
    low, high = area.interval.low, area.interval.high
    return {"area": round(area.value, _DIGITS), "low": round(low, _DIGITS), "high": round(high, _DIGITS)}


def _sentence(found: Detectability | None, classical: Area | None, side: int) -> str:
    """What people read. side: the shorter side in pixels at which images were compared."""
    end = f" at {side} pixels; 0.5 is chance"
    if found is not None:
        return (
            "generated images are told from real ones within a class with an area under the curve of "
            f"{_figures(found.classifier.area)}, by blur alone {_figures(found.blur.area)},{end}"
        )
    if classical is not None:
        return (
            "classical images are told from real ones within a class by blur alone with an area under the curve of "
            f"{_figures(classical)}{end}"
        )
    return "no class has five real and five synthetic images, so it was not measured how well they can be told apart"


def _figures(area: Area) -> str:
    return f"{area.value:.2f} ({area.interval.low:.2f} to {area.interval.high:.2f})"
