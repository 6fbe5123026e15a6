"""The rows of the tables and plots of the page."""

from dataclasses import dataclass

from genaug.report.plots import (
    Axis,
    LinePlot,
    MeanInterval,
    Strip,
    curve_plot,
    interval_axis,
    interval_plot,
    interval_strip,
    linear_axis,
)
from genaug.report.reading import RunContent
from genaug.report.records import ClassCount, TrainedModel, TrainingRecord
from genaug.report.verdicts import EstimateRecord, Study, StudyArm, StudyClass


@dataclass(frozen=True)
class ClassRow:
    """Counts of one class. shares: the lengths of its three bars, in per cent of the largest class."""

    name: str
    real: int
    classical: int
    generated: int
    rejected: int
    shares: tuple[float, float, float]


@dataclass(frozen=True)
class ArmRow:
    """A way to train, with its interval on the common axis."""

    arm: StudyArm
    strip: Strip


@dataclass(frozen=True)
class RecallRow:
    """A class, and the positions of its two recalls on the common axis; None if no image was held out."""

    study_class: StudyClass
    real: float | None
    synthetic: float | None


@dataclass(frozen=True)
class StudyPlots:
    """The plots of a study.

    best_real: position of the best real-only arm. accuracy_by_count: None if only one number of images was studied.
    """

    arms: tuple[ArmRow, ...]
    axis: Axis
    best_real: float | None
    recalls: tuple[RecallRow, ...]
    recall_axis: Axis
    accuracy_by_count: LinePlot | None


@dataclass(frozen=True)
class LossCurve:
    """The training losses of a model. name: its generator and class."""

    name: str
    plot: LinePlot


def class_rows(run: RunContent) -> list[ClassRow]:
    """A row for each class, in label order."""
    counts = run.class_counts.counts if run.class_counts else {}
    most = max((sum(_kinds(count)) for count in counts.values()), default=0) or 1
    return [
        ClassRow(
            name=name,
            real=count.real,
            classical=count.classical,
            generated=count.generated,
            rejected=run.rejected.get(name, 0),
            shares=_shares(count, most),
        )
        for name in run.record.classes
        if (count := counts.get(name)) is not None
    ]


def _kinds(count: ClassCount) -> tuple[int, int, int]:
    return count.real, count.classical, count.generated


def _shares(count: ClassCount, most: int) -> tuple[float, float, float]:
    real, classical, generated = (round(100 * number / most, 2) for number in _kinds(count))
    return real, classical, generated


def study_plots(study: Study) -> StudyPlots:
    """Arms from the best to the worst; classes in label order."""
    arms = sorted(study.arms, key=lambda arm: -arm.balanced_accuracy.mean)
    axis = interval_axis(_interval(arm.balanced_accuracy) for arm in arms)
    recalls = [value for row in study.classes for value in (row.real, row.synthetic) if value is not None]
    recall_axis = linear_axis(100 * value for value in recalls)
    real = [arm.balanced_accuracy.mean for arm in arms if arm.kind == "real"]
    return StudyPlots(
        arms=tuple(ArmRow(arm, interval_strip(_interval(arm.balanced_accuracy), axis)) for arm in arms),
        axis=axis,
        best_real=_position(max(real, default=None), axis),
        recalls=tuple(
            RecallRow(row, _position(row.real, recall_axis), _position(row.synthetic, recall_axis))
            for row in study.classes
        ),
        recall_axis=recall_axis,
        accuracy_by_count=_accuracy_by_count(study),
    )


def loss_curves(run: RunContent) -> list[LossCurve]:
    """The losses of each model that was trained step by step."""
    models = {model.training_file: model for model in run.record.models}
    return [LossCurve(_model_name(models[name]), _loss_plot(record)) for name, record in run.training.items()]


def _model_name(model: TrainedModel) -> str:
    return f"{model.generator}, {'all classes' if model.label is None else f'class {model.label}'}"


def _loss_plot(record: TrainingRecord) -> LinePlot:
    series: dict[str, list[tuple[float, float]]] = {}
    for step, losses in record.losses:
        for name, value in losses.items():
            if value is not None:
                series.setdefault(name, []).append((step, value))
    return curve_plot(series)


def _accuracy_by_count(study: Study) -> LinePlot | None:
    series: dict[str, list[tuple[float, MeanInterval]]] = {}
    for point in study.figure:
        series.setdefault(point.generator, []).append((point.count, _interval(point.balanced_accuracy)))
    return interval_plot(series) if series else None


def _interval(estimate: EstimateRecord) -> MeanInterval:
    """The estimate in per cent, the unit of the axes."""
    low, high = (None if end is None else 100 * end for end in (estimate.low, estimate.high))
    return 100 * estimate.mean, low, high


def _position(share: float | None, axis: Axis) -> float | None:
    return None if share is None else axis.position(100 * share)
