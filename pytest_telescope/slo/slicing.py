"""Where a line over a window has its points, and asking for them: one range query a line."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from pytest_telescope.metrics.client import RangeAnswer
from pytest_telescope.metrics.model import Answer
from pytest_telescope.slo import sliced_queries
from pytest_telescope.slo.guards import ENOUGH_SCRAPES
from pytest_telescope.slo.model import Slices
from pytest_telescope.slo.queries import Span

MOST_POINTS = 60

Point = tuple[float, float | None]


class Ranges(Protocol):
    """What is asked: anything that answers range queries."""

    def query_range(self, promql: str, start: float, end: float, step: float) -> RangeAnswer:
        """Evaluate at `start`, `start + step` ... `end`, unix seconds."""


class Asked(Ranges, Protocol):
    """What is asked: anything that answers instant and range queries."""

    def query(self, promql: str, time: float | None = None) -> Answer:
        """Evaluate at one time, unix seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Where a line has points: `count` slices of `length` seconds, the first one ending at `first`, each `step` on."""

    first: float
    step: float
    count: int
    length: float

    @property
    def last(self) -> float:
        """Unix seconds of the last point."""
        return self.first + (self.count - 1) * self.step


def grid(span: Span, most: int = MOST_POINTS) -> Grid:
    """Return at most `most` slices of a window: at least four scrapes long, or the window where that is shorter."""
    step = span.interval * max(1, math.ceil(span.seconds / (most * span.interval)))
    length = min(max(ENOUGH_SCRAPES * span.interval, step), span.seconds)
    count = min(most, math.floor((span.seconds - length) / step + 1e-6) + 1)
    return Grid(first=span.end - (count - 1) * step, step=step, count=count, length=length)


def sliced(slices: Slices, span: Span) -> Grid | None:
    """Return the slices that the SLO itself is judged in, but for a last one off the step; None where there is none."""
    ends = sliced_queries.ends(slices, span)
    if not ends:
        return None
    step = sliced_queries.millis(slices.step)
    count = (ends[-1] - ends[0]) // step + 1
    return Grid(first=ends[0] / 1000, step=step / 1000, count=count, length=slices.length)


def points(prom: Ranges, promql: str, chosen: Grid) -> tuple[Point, ...]:
    """Ask once; what is no finite number is None, as are points that the answer does not hold.

    Raises:
        MetricsError: Prometheus is gone or refused.
    """
    answer = prom.query_range(promql, chosen.first, chosen.last + chosen.step / 2, chosen.step)
    values = {sliced_queries.millis(when): value for one in answer.series for when, value in one.values}
    times = [round(chosen.first + number * chosen.step, 3) for number in range(chosen.count)]
    return tuple((when, _shown(values.get(sliced_queries.millis(when)))) for when in times)


def _shown(value: float | None) -> float | None:
    return float(f"{value:.6g}") if value is not None and math.isfinite(value) else None
