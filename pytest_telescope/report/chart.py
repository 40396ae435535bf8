"""Parts of a line chart as SVG elements: axes, lines with gaps, bands. Colours are classes of the picture's style."""

from __future__ import annotations

import math
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self
from xml.sax.saxutils import escape

from pytest_telescope.slo.text import clock
from pytest_telescope.slo.text import humanly

WIDTH, MARGIN, LEFT = 760.0, 12.0, 70.0
LINES = ("l0", "l1", "l2", "l3", "l4")
"""Classes of lines, in order."""
LETTER = 6.0
"""Pixels that a character takes, about."""
NICE = (1.0, 2.0, 2.5, 5.0, 10.0)
NICE_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
THIN = 3.0
"""Pixels below which a step of the load is not shown."""

Points = Sequence[tuple[float, float | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A rectangle of the picture over an interval of time, unix seconds."""

    top: float
    height: float
    start: float
    end: float
    left: float = LEFT
    right: float = WIDTH - MARGIN

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.top + self.height

    @property
    def width(self) -> float:
        """Its width."""
        return self.right - self.left

    def x(self, when: float) -> float:
        """Return where a time is, within the area."""
        share = (when - self.start) / (self.end - self.start) if self.end > self.start else 1.0
        return round(self.left + self.width * min(1.0, max(0.0, share)), 1)

    def y(self, value: float, scale: Scale) -> float:
        """Return where a value is."""
        return round(self.bottom - self.height * (value - scale.low) / (scale.high - scale.low), 1)


@dataclass(frozen=True, slots=True)
class Scale:
    """The values from the lower to the upper edge of an area."""

    low: float
    high: float

    @classmethod
    def over(cls, values: Iterable[float]) -> Self:
        """Return a scale that holds zero and all values, with some room above."""
        every = [0.0, *values]
        low, high = min(every), max(every)
        if high == low:
            high = low + 1.0
        return cls(low, high + 0.06 * (high - low))

    def ticks(self, most: int = 5) -> list[float]:
        """Return round numbers on the scale."""
        raw = (self.high - self.low) / most
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(one * power for one in NICE if one * power >= raw * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        return [number * step for number in range(first, math.floor(self.high / step + 1e-9) + 1)]


def from_to(values: Iterable[float], unit: str) -> str:
    """Return the least and the largest of some values."""
    every = list(values)
    low, high = humanly(min(every), unit), humanly(max(every), unit)
    return low if low == high else f"{low} to {high}"


def text(x: float, y: float, told: str, style: str, *, anchor: str = "start", weight: str = "400") -> str:
    """Return one line of text."""
    bold = f' font-weight="{weight}"' if weight != "400" else ""
    return f'<text class="{style}" x="{x:g}" y="{y:g}" text-anchor="{anchor}"{bold}>{escape(told)}</text>'


def value_axis(area: Area, scale: Scale, unit: str) -> Iterator[str]:
    """Yield horizontal lines at round values, named."""
    for tick in scale.ticks():
        y = area.y(tick, scale)
        yield f'<line class="grid" x1="{area.left:g}" x2="{area.right:g}" y1="{y:g}" y2="{y:g}"/>'
        yield text(area.left - 6, y + 4, humanly(tick, unit), "faint", anchor="end")


def time_axis(area: Area, most: int = 7) -> Iterator[str]:
    """Yield round times, UTC."""
    lasts = area.end - area.start
    step = next((one for one in NICE_SECONDS if lasts / one <= most), NICE_SECONDS[-1])
    for number in range(math.ceil(area.start / step), math.floor(area.end / step) + 1):
        x = area.x(number * step)
        yield f'<line class="grid" x1="{x:g}" x2="{x:g}" y1="{area.bottom:g}" y2="{area.bottom + 4:g}"/>'
        yield text(x, area.bottom + 16, clock(number * step).removesuffix(" UTC"), "faint", anchor="middle")


def bands(area: Area, steps: Mapping[str, tuple[float, float]]) -> Iterator[str]:
    """Yield a band for every second step of the load that is wide enough, and the names that fit."""
    shown = [(name, area.x(start), area.x(end)) for name, (start, end) in steps.items()]
    wide = sorted((one for one in shown if one[2] - one[1] >= THIN), key=lambda one: one[1])
    for number, (name, left, right) in enumerate(wide):
        if number % 2 == 0:
            yield (
                f'<rect class="band" x="{left:g}" y="{area.top:g}" width="{right - left:.4g}" '
                f'height="{area.height:g}"><title>{escape(name)}</title></rect>'
            )
        if len(name) * LETTER <= right - left:
            yield text((left + right) / 2, area.top - 4, name, "faint", anchor="middle")


def line(area: Area, scale: Scale, points: Points, style: str) -> Iterator[str]:
    """Yield a line's unbroken runs; a point alone between gaps is a dot."""
    for run in runs(points):
        at = [(area.x(when), area.y(value, scale)) for when, value in run]
        if len(at) == 1:
            yield f'<circle class="f{style.removeprefix("l")}" cx="{at[0][0]:g}" cy="{at[0][1]:g}" r="2.2"/>'
        else:
            path = " ".join(f"{x:g},{y:g}" for x, y in at)
            yield f'<polyline class="line {style}" points="{path}"/>'


def runs(points: Points) -> Iterator[list[tuple[float, float]]]:
    """Yield points that have values and no gap between them."""
    run: list[tuple[float, float]] = []
    for when, value in points:
        if value is None and run:
            yield run
            run = []
        elif value is not None:
            run.append((when, value))
    if run:
        yield run


def gaps(area: Area, points: Points) -> Iterator[str]:
    """Yield a mark on the axis wherever the worst line has no value."""
    half = (points[1][0] - points[0][0]) / 2 if len(points) > 1 else 0.0
    for when, value in points:
        if value is None:
            left, right = area.x(when - half), area.x(when + half)
            yield (
                f'<rect class="gap" x="{left:g}" y="{area.bottom - 3:g}" width="{max(1.0, right - left):.4g}" '
                'height="3"><title>no value</title></rect>'
            )


def rule(area: Area, scale: Scale, value: float, told: str) -> Iterator[str]:
    """Yield a dashed line across at a value, named at its right end."""
    y = area.y(value, scale)
    yield f'<line class="bound" x1="{area.left:g}" x2="{area.right:g}" y1="{y:g}" y2="{y:g}"/>'
    above = y - 4 if y - 14 > area.top else y + 12
    yield text(area.right - 4, above, told, "limit", anchor="end")
