"""What the tables and plots of the page show, one value for each row."""

from collections import Counter
from dataclasses import dataclass

from genaug.report.plots import Axis, Interval, LinePlot, Strip, axis, curves, growth, interval_axis, strip
from genaug.report.reading import Made
from genaug.report.records import Fit, Training
from genaug.report.verdicts import Estimate, Study, StudyArm, StudyClass


@dataclass(frozen=True)
class ClassRow:
    """What came out for one class. share: of the largest class, in per cent, of real and of synthetic images."""

    name: str
    real: int
    synthetic: int
    rejected: int
    real_share: float
    synthetic_share: float


@dataclass(frozen=True)
class ArmRow:
    """An arm with its interval on the common axis."""

    arm: StudyArm
    strip: Strip


@dataclass(frozen=True)
class RecallRow:
    """Recall of a class, and where its two values lie on the common axis; None where nothing was held out."""

    about: StudyClass
    real: float | None
    synthetic: float | None


@dataclass(frozen=True)
class StudyPlots:
    """A study as it is drawn; best_real: place of the best real-only arm. growth: None without several counts."""

    arms: tuple[ArmRow, ...]
    axis: Axis
    best_real: float | None
    recalls: tuple[RecallRow, ...]
    recall_axis: Axis
    growth: LinePlot | None


@dataclass(frozen=True)
class Curve:
    """The losses of a model by step."""

    name: str
    plot: LinePlot


def class_rows(made: Made) -> list[ClassRow]:
    """Classes in label order, with the lengths of their bars."""
    counts = made.classes.counts if made.classes else {}
    most = max((count.real + count.synthetic for count in counts.values()), default=0) or 1
    rejected = Counter(one.label for one in made.rejected)
    return [
        ClassRow(
            name=name,
            real=count.real,
            synthetic=count.synthetic,
            rejected=rejected[name],
            real_share=round(100 * count.real / most, 2),
            synthetic_share=round(100 * count.synthetic / most, 2),
        )
        for name in made.run.classes
        if (count := counts.get(name)) is not None
    ]


def study_plots(study: Study) -> StudyPlots:
    """Arms from the best to the worst, classes as they come."""
    arms = sorted(study.arms, key=lambda arm: -arm.balanced_accuracy.mean)
    along = interval_axis(_interval(arm.balanced_accuracy) for arm in arms)
    recalls = axis(100 * value for one in study.classes for value in (one.real, one.synthetic) if value is not None)
    real = [arm.balanced_accuracy.mean for arm in arms if arm.kind == "real"]
    return StudyPlots(
        arms=tuple(ArmRow(arm, strip(_interval(arm.balanced_accuracy), along)) for arm in arms),
        axis=along,
        best_real=_place(max(real, default=None), along),
        recalls=tuple(
            RecallRow(one, _place(one.real, recalls), _place(one.synthetic, recalls)) for one in study.classes
        ),
        recall_axis=recalls,
        growth=_growth(study),
    )


def loss_curves(made: Made) -> list[Curve]:
    """A plot for each model that learned anything, called as its generator and class."""
    fits = {fit.record: fit for fit in made.run.fits}
    return [Curve(_called(fits[name]), _losses(training)) for name, training in made.training.items()]


def _called(fit: Fit) -> str:
    return f"{fit.generator}, {'all classes' if fit.label is None else f'class {fit.label}'}"


def _losses(training: Training) -> LinePlot:
    series: dict[str, list[tuple[float, float]]] = {}
    for step, losses in training.losses:
        for name, value in losses.items():
            if value is not None:
                series.setdefault(name, []).append((step, value))
    return curves(dict(series))


def _growth(study: Study) -> LinePlot | None:
    series: dict[str, list[tuple[float, Interval]]] = {}
    for point in study.figure:
        series.setdefault(point.generator, []).append((point.count, _interval(point.balanced_accuracy)))
    return growth(dict(series)) if series else None


def _interval(estimate: Estimate) -> Interval:
    """In per cent, as axes show it."""
    low, high = (None if end is None else 100 * end for end in (estimate.low, estimate.high))
    return 100 * estimate.mean, low, high


def _place(value: float | None, along: Axis) -> float | None:
    return None if value is None else along.place(100 * value)
