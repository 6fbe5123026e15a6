"""Converts numbers to positions on a plot, in per cent of its width and height. The templates draw the plots."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

_TICKS = 5
_MOST_POINTS = 240
_LOGARITHMIC_FROM = 30.0  # use a logarithmic axis if the largest value is more than this many times the smallest


@dataclass(frozen=True)
class Tick:
    """A labelled position on an axis."""

    position: float
    text: str


@dataclass(frozen=True)
class Axis:
    """A range of values with ticks, linear or logarithmic."""

    low: float
    high: float
    ticks: tuple[Tick, ...]
    logarithmic: bool = False

    def position(self, value: float) -> float:
        """The position of a value, in per cent from the low end; below 0 or above 100 for values out of range."""
        return _position(self.low, self.high, value, logarithmic=self.logarithmic)


@dataclass(frozen=True)
class Strip:
    """The positions of a mean and of the ends of its interval on a horizontal axis."""

    middle: float
    low: float
    high: float


@dataclass(frozen=True)
class Point:
    """The position of a mean on a plot, and of the ends of its vertical interval. y, low, high: from the top."""

    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True)
class PlotLine:
    """A line and its name in the legend. path: `x,y` pairs. points: its means, if they have intervals."""

    name: str
    path: str
    points: tuple[Point, ...] = ()


@dataclass(frozen=True)
class LinePlot:
    """Lines on common axes."""

    lines: tuple[PlotLine, ...]
    x: Axis
    y: Axis


Sample = tuple[float, float]  # x and y
MeanInterval = tuple[float, float | None, float | None]  # a mean and the ends of its interval


def linear_axis(values: Iterable[float], *, margin: float = 0.04) -> Axis:
    """A linear axis that contains all values, with a margin at both ends and ticks at round numbers.

    margin: a share of the range of the values.
    """
    known = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(known), max(known)
    room = (high - low) * margin if low < high else abs(high) * margin or 1.0
    low, high = low - room, high + room
    step = _step(low, high)
    numbers = [number * step for number in range(math.ceil(low / step), math.floor(high / step) + 1)]
    digits = max(0, -math.floor(math.log10(step)))
    ticks = tuple(
        Tick(_position(low, high, number, logarithmic=False), f"{number + 0.0:.{digits}f}") for number in numbers
    )
    return Axis(low, high, ticks)


def interval_axis(intervals: Iterable[MeanInterval]) -> Axis:
    """A linear axis that contains all means and the ends of their intervals."""
    return linear_axis(value for interval in intervals for value in interval if value is not None)


def interval_strip(interval: MeanInterval, axis: Axis) -> Strip:
    """A mean with its interval on an axis; an unknown end is placed at the mean."""
    mean, low, high = interval
    ends = [axis.position(mean if end is None else end) for end in (low, high)]
    return Strip(axis.position(mean), *ends)


def curve_plot(series: Mapping[str, Sequence[Sample]]) -> LinePlot:
    """A curve through the samples of each name, averaged to at most 240 points; infinite values are left out.

    The y axis is logarithmic if all values are positive and the largest is more than 30 times the smallest.
    """
    finite = {name: [sample for sample in samples if math.isfinite(sample[1])] for name, samples in series.items()}
    drawn = {name: _thinned(samples) for name, samples in finite.items() if samples}
    values = [y for samples in drawn.values() for _, y in samples]
    x = linear_axis((x for samples in drawn.values() for x, _ in samples), margin=0.0)
    wide = bool(values) and min(values) > 0 and max(values) / min(values) > _LOGARITHMIC_FROM
    y = _logarithmic_axis(values) if wide else linear_axis(values)
    return LinePlot(tuple(PlotLine(name, _path(samples, x, y)) for name, samples in drawn.items()), x, y)


def interval_plot(series: Mapping[str, Sequence[tuple[float, MeanInterval]]]) -> LinePlot:
    """A line of means with intervals for each name; the x axis has a tick at each number that occurs."""
    numbers = sorted({x for points in series.values() for x, _ in points})
    x = linear_axis(numbers, margin=0.06)
    x = replace(x, ticks=tuple(Tick(x.position(number), f"{number:g}") for number in numbers))
    y = interval_axis(interval for points in series.values() for _, interval in points)
    lines = []
    for name, points in series.items():
        ordered = sorted(points, key=lambda point: point[0])
        means = tuple(_point(number, interval, x, y) for number, interval in ordered)
        lines.append(PlotLine(name, _path([(number, interval[0]) for number, interval in ordered], x, y), means))
    return LinePlot(tuple(lines), x, y)


def _point(number: float, interval: MeanInterval, x: Axis, y: Axis) -> Point:
    strip = interval_strip(interval, y)
    return Point(x.position(number), _from_top(strip.middle), _from_top(strip.low), _from_top(strip.high))


def _logarithmic_axis(values: Sequence[float]) -> Axis:
    """An axis from the power of ten below all values to the power of ten above them."""
    first, last = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    low, high = 10.0**first, 10.0**last
    powers = range(first, last + 1, max(1, (last - first) // _TICKS))
    ticks = tuple(Tick(_position(low, high, 10.0**power, logarithmic=True), f"{10.0**power:g}") for power in powers)
    return Axis(low, high, ticks, logarithmic=True)


def _thinned(samples: Sequence[Sample]) -> Sequence[Sample]:
    """Means of neighbouring samples, so that at most 240 are left."""
    size = math.ceil(len(samples) / _MOST_POINTS)
    groups = [samples[first : first + size] for first in range(0, len(samples), size)]
    return [(sum(x for x, _ in group) / len(group), sum(y for _, y in group) / len(group)) for group in groups]


def _path(samples: Iterable[Sample], x: Axis, y: Axis) -> str:
    return " ".join(f"{x.position(one):g},{_from_top(y.position(value)):g}" for one, value in samples)


def _from_top(position: float) -> float:
    """A position from the bottom as a position from the top, as SVG counts."""
    return round(100.0 - position, 2)


def _position(low: float, high: float, value: float, *, logarithmic: bool) -> float:
    low, high, value = (math.log10(number) if logarithmic else number for number in (low, high, value))
    return round(100.0 * (value - low) / (high - low), 2)


def _step(low: float, high: float) -> float:
    """The distance between ticks: 1, 2 or 5 times a power of ten."""
    rough = (high - low) / _TICKS
    power: float = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
