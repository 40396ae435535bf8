"""One series as a small SVG picture: values, intervals, levels, changes, breaks, gaps."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from xml.sax.saxutils import escape

from pytest_telescope.slo.text import humanly
from pytest_telescope.trend.model import Change
from pytest_telescope.trend.model import Point
from pytest_telescope.trend.model import Trend
from pytest_telescope.trend.verdicts import effect

WIDTH, HEIGHT = 420.0, 150.0
LEFT, RIGHT, TOP, BOTTOM = 58.0, 8.0, 14.0, 22.0
NEWEST = 150
"""Runs that a picture shows; older ones are only counted."""
CALM = 0.1
"""Least height of the scale as a share of its middle, so that the noise of a calm series does not fill it."""
NEAR = 2.0
"""A bound is drawn where it is no farther from the values than so many times their range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Where runs and values are in the picture."""

    first: int
    count: int
    low: float
    high: float

    def x(self, index: float) -> float:
        """Return where a point is, by its index among all points."""
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (index - self.first + 0.5) / self.count, 1)

    def y(self, value: float) -> float:
        """Return where a value is; what is outside is at the edge."""
        share = (value - self.low) / (self.high - self.low)
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(1.0, max(0.0, share)), 1)


def picture(trend: Trend) -> str:
    """Return the series as an SVG element; its colours are the page's."""
    frame = _frame(trend)
    told = escape(f"{trend.series.cell} {trend.series.metric}: {trend.said}")
    parts = [
        f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="{told.replace(chr(34), "&quot;")}">',
        *_axes(trend, frame),
        *_breaks(trend, frame),
        *_levels(trend, frame),
        *_values(trend, frame),
        *_changes(trend, frame),
        "</svg>",
    ]
    return "".join(parts)


def _frame(trend: Trend) -> Frame:
    points = trend.series.points
    first = max(0, len(points) - NEWEST)
    low, high = _scale(trend, points[first:])
    return Frame(first=first, count=max(1, len(points) - first), low=low, high=high)


def _scale(trend: Trend, points: Iterable[Point]) -> tuple[float, float]:
    values = [one.value for one in points if one.value is not None] or [0.0]
    low, high = min(values), max(values)
    bound, reach = trend.series.bound, max(high - low, CALM * abs(high))
    if bound is not None and low - NEAR * reach <= bound <= high + NEAR * reach:
        low, high = min(low, bound), max(high, bound)
    missing = max(0.0, CALM * abs(high + low) / 2 - (high - low)) or (0.0 if high > low else 1.0)
    room = missing / 2 + 0.06 * (high - low)
    return (low - room if low < 0 else max(0.0, low - room)), high + room


def _axes(trend: Trend, frame: Frame) -> Iterator[str]:
    unit = trend.series.unit
    for share in (0.0, 0.5, 1.0):
        value = frame.low + share * (frame.high - frame.low)
        y = frame.y(value)
        yield f'<path class="grid" d="M{LEFT:g} {y:g}H{WIDTH - RIGHT:g}"/>'
        yield f'<text class="axis end" x="{LEFT - 5:g}" y="{y + 3.5:g}">{escape(humanly(value, unit))}</text>'
    points = trend.series.points
    yield f'<text class="axis" x="{LEFT:g}" y="{HEIGHT - 6:g}">{_day(points[frame.first])}</text>'
    yield f'<text class="axis end" x="{WIDTH - RIGHT:g}" y="{HEIGHT - 6:g}">{_day(points[-1])}</text>'
    if frame.first:
        yield f'<text class="axis mid" x="{WIDTH / 2:g}" y="{HEIGHT - 6:g}">{frame.first} older runs not shown</text>'
    bound = trend.series.bound
    if bound is not None and frame.low <= bound <= frame.high:
        y = frame.y(bound)
        title = f"<title>bound {escape(humanly(bound, unit))}</title>"
        yield f'<path class="bound" d="M{LEFT:g} {y:g}H{WIDTH - RIGHT:g}">{title}</path>'


def _day(point: Point) -> str:
    return f"{datetime.fromtimestamp(point.time, UTC):%Y-%m-%d}" if point.time else escape(point.run)


def _breaks(trend: Trend, frame: Frame) -> Iterator[str]:
    for one in trend.breaks:
        if one.index > frame.first:
            x, why = frame.x(one.index - 0.5), escape(", ".join(one.what) or "the fingerprint changed")
            line = f'd="M{x:g} {TOP:g}V{HEIGHT - BOTTOM:g}"'
            yield f'<path class="break" {line}/>'
            yield f'<path class="hit" {line}><title>break at {escape(one.run)}: {why}</title></path>'


def _levels(trend: Trend, frame: Frame) -> Iterator[str]:
    for one in trend.levels:
        if one.end > frame.first:
            start, y = frame.x(max(one.start, frame.first) - 0.5), frame.y(one.value)
            yield f'<path class="level" d="M{start:g} {y:g}H{frame.x(one.end - 0.5):g}"/>'


def _values(trend: Trend, frame: Frame) -> Iterator[str]:
    for index, point in enumerate(trend.series.points[frame.first :], start=frame.first):
        x = frame.x(index)
        if point.value is None:
            title = f"<title>{escape(point.run)}: {escape(point.gap or 'no value')}</title>"
            yield f'<text class="gap" x="{x:g}" y="{HEIGHT - BOTTOM - 1:g}">x{title}</text>'
            continue
        if point.low is not None and point.high is not None:
            yield f'<path class="interval" d="M{x:g} {frame.y(point.low):g}V{frame.y(point.high):g}"/>'
        told = escape(f"{point.run}: {humanly(point.value, trend.series.unit)}")
        yield f'<circle cx="{x:g}" cy="{frame.y(point.value):g}" r="2.2"><title>{told}</title></circle>'


def _changes(trend: Trend, frame: Frame) -> Iterator[str]:
    for one in trend.changes:
        if one.index >= frame.first:
            x = frame.x(one.index - 0.5)
            told = escape(f"{_named(one)} at {one.run}: {effect(one, trend.series.unit)}")
            yield f'<path class="change {_class(one)}" d="M{x:g} {TOP:g}V{HEIGHT - BOTTOM:g}"/>'
            yield f'<path class="mark {_class(one)}" d="M{x - 5:g} {TOP - 9:g}h10l-5 8z"><title>{told}</title></path>'


def _named(change: Change) -> str:
    known = f", acknowledged: {change.acknowledged}" if change.acknowledged else ""
    return f"{'suspected ' if change.doubt else ''}{change.kind}{known}"


def _class(change: Change) -> str:
    if change.acknowledged or not change.is_standing:
        return "past"
    return "suspected" if change.doubt else change.kind
