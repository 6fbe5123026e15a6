"""Numbers to places on a plot, in per cent of its width and height; the templates draw them."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

_TICKS = 5
_MOST_POINTS = 240
_ORDERS = 30.0  # a range of positive values this many times wide reads better by orders of magnitude


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis."""

    place: float
    text: str


@dataclass(frozen=True)
class Axis:
    """A range of values, by orders of magnitude where `orders`."""

    low: float
    high: float
    ticks: tuple[Tick, ...]
    orders: bool = False

    def place(self, value: float) -> float:
        """Where a value lies, in per cent from the low end; values outside stay outside."""
        return _part(self.low, self.high, value, orders=self.orders)


@dataclass(frozen=True)
class Strip:
    """A mean and its interval on an axis."""

    middle: float
    low: float
    high: float


@dataclass(frozen=True)
class Point:
    """A mark with its interval, from the top of the plot."""

    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True)
class Line:
    """A line by its name. path: `x,y` pairs."""

    name: str
    path: str
    points: tuple[Point, ...] = ()


@dataclass(frozen=True)
class LinePlot:
    """Lines on common axes."""

    lines: tuple[Line, ...]
    x: Axis
    y: Axis


Sample = tuple[float, float]
Interval = tuple[float, float | None, float | None]


def axis(values: Iterable[float], *, margin: float = 0.04) -> Axis:
    """A linear axis that holds all values, with a little room around them and ticks at round numbers."""
    known = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(known), max(known)
    room = (high - low) * margin or abs(high) * margin or 1.0
    low, high = low - room, high + room
    step = _step(low, high)
    numbers = [number * step for number in range(math.ceil(low / step), math.floor(high / step) + 1)]
    digits = max(0, -math.floor(math.log10(step)))
    ticks = tuple(Tick(_part(low, high, number, orders=False), f"{number + 0.0:.{digits}f}") for number in numbers)
    return Axis(low, high, ticks)


def strip(interval: Interval, along: Axis) -> Strip:
    """A mean with its interval; without one, the mean alone."""
    mean, low, high = interval
    ends = [along.place(mean if end is None else end) for end in (low, high)]
    return Strip(along.place(mean), *ends)


def interval_axis(intervals: Iterable[Interval]) -> Axis:
    """An axis that holds all means and the ends of their intervals."""
    return axis(value for interval in intervals for value in interval if value is not None)


def curves(series: dict[str, Sequence[Sample]]) -> LinePlot:
    """Lines through samples, thinned to what a screen can show; steep positive ones by orders of magnitude."""
    known = {name: _thinned([one for one in samples if math.isfinite(one[1])]) for name, samples in series.items()}
    drawn = {name: samples for name, samples in known.items() if samples}
    values = [y for samples in drawn.values() for _, y in samples]
    x = axis((x for samples in drawn.values() for x, _ in samples), margin=0.0)
    y = _by_orders(values) if values and min(values) > 0 and max(values) / min(values) > _ORDERS else axis(values)
    return LinePlot(tuple(Line(name, _path(samples, x, y)) for name, samples in drawn.items()), x, y)


def growth(series: dict[str, Sequence[tuple[float, Interval]]]) -> LinePlot:
    """Means with intervals over a number of images, a line for each name."""
    numbers = sorted({x for points in series.values() for x, _ in points})
    x = axis(numbers, margin=0.06)
    x = replace(x, ticks=tuple(Tick(x.place(number), f"{number:g}") for number in numbers))
    y = interval_axis(interval for points in series.values() for _, interval in points)
    lines = []
    for name, points in series.items():
        ordered = sorted(points, key=lambda point: point[0])
        marks = tuple(_point(one, interval, x, y) for one, interval in ordered)
        lines.append(Line(name, _path([(one, interval[0]) for one, interval in ordered], x, y), marks))
    return LinePlot(tuple(lines), x, y)


def _point(value: float, interval: Interval, x: Axis, y: Axis) -> Point:
    span = strip(interval, y)
    return Point(x.place(value), _down(span.middle), _down(span.low), _down(span.high))


def _by_orders(values: Sequence[float]) -> Axis:
    """An axis from the power of ten below all values to that above."""
    first, last = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    low, high = 10.0**first, 10.0**last
    powers = range(first, last + 1, max(1, (last - first) // _TICKS))
    ticks = tuple(Tick(_part(low, high, 10.0**power, orders=True), f"{10.0**power:g}") for power in powers)
    return Axis(low, high, ticks, orders=True)


def _thinned(samples: Sequence[Sample]) -> Sequence[Sample]:
    """Means of neighbours, so that no more are left than a plot has room for."""
    size = math.ceil(len(samples) / _MOST_POINTS) if samples else 1
    groups = [samples[first : first + size] for first in range(0, len(samples), size)]
    return [(sum(x for x, _ in group) / len(group), sum(y for _, y in group) / len(group)) for group in groups]


def _path(samples: Iterable[Sample], x: Axis, y: Axis) -> str:
    return " ".join(f"{x.place(one):g},{_down(y.place(value)):g}" for one, value in samples)


def _down(place: float) -> float:
    """From the bottom to the top, as screens count."""
    return round(100.0 - place, 2)


def _part(low: float, high: float, value: float, *, orders: bool) -> float:
    ends = [math.log10(number) if orders else number for number in (low, high, value)]
    return round(100.0 * (ends[2] - ends[0]) / (ends[1] - ends[0]), 2)


def _step(low: float, high: float) -> float:
    """The distance of ticks: 1, 2 or 5 times a power of ten."""
    rough = (high - low) / _TICKS
    power: float = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
