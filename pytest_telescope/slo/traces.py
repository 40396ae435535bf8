"""How the worst elements of an SLO went over its window: one cheap range query each, for a person to look at.

Nothing here makes a verdict. Slices end with the window, so that the last point holds the last scrape.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_telescope.slo import sliced_queries
from pytest_telescope.slo.elements import POOLED
from pytest_telescope.slo.elements import badness
from pytest_telescope.slo.model import Element
from pytest_telescope.slo.model import Slices
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.model import Trace
from pytest_telescope.slo.model import Verdict
from pytest_telescope.slo.promql import split
from pytest_telescope.slo.queries import LOOKBACK_MS
from pytest_telescope.slo.queries import Span
from pytest_telescope.slo.queries import by_labels
from pytest_telescope.slo.queries import fill
from pytest_telescope.slo.queries import is_job
from pytest_telescope.slo.queries import quoted
from pytest_telescope.slo.queries import selector
from pytest_telescope.slo.slicing import MOST_POINTS
from pytest_telescope.slo.slicing import Asked
from pytest_telescope.slo.slicing import Grid
from pytest_telescope.slo.slicing import Point
from pytest_telescope.slo.slicing import grid
from pytest_telescope.slo.slicing import points
from pytest_telescope.slo.slicing import sliced
from pytest_telescope.slo.text import labelled
from pytest_telescope.slo.text import lasting

GREEN_POINTS = 24
"""Points of a line that nobody may ever look at."""
RED_ELEMENTS = 5
GREEN_COST = 20_000
"""Series times points that a green SLO's line may cost; a line over all series of a large cluster costs a second."""
RED_COST = 400_000
FEWEST_POINTS = 8
"""Of a line that must cost less; a green SLO's has none rather than fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Draws the lines of one SLO.

    Attributes:
        prom: what answers.
        span: the judged window.
        facts: of the cluster, for queries.
        is_reset: a counter went backwards: rates, which lose born series, instead of differences, which go wrong.
        is_whole: there is one element alone, so that a pooled one is everything that is selected.
    """

    slo: Slo
    prom: Asked
    span: Span
    facts: Mapping[str, object]
    is_reset: bool = False
    is_whole: bool = False

    def of(self, elements: Sequence[Element]) -> tuple[Trace, ...]:
        """Return a line for each element, in their order; without points where it has none of its own.

        Raises:
            MetricsError: Prometheus is gone or refused.
        """
        red = any(one.verdict is not Verdict.PASS for one in elements)
        return tuple(self._trace(one, self._slices(one.labels, red=red)) for one in elements)

    def _slices(self, labels: Mapping[str, str], *, red: bool) -> Grid | None:
        most, cost = (MOST_POINTS, RED_COST) if red else (GREEN_POINTS, GREEN_COST)
        most = min(most, cost // max(1, self._series(labels)))
        if red:
            most = max(most, FEWEST_POINTS)
        if self.slo.slices is None:
            return grid(self.span, most) if most >= FEWEST_POINTS else None
        own = sliced(self.slo.slices, self.span)
        return own if own is not None and (red or most >= min(own.count, GREEN_POINTS)) else None

    def _series(self, labels: Mapping[str, str]) -> int:
        """Return how many series a line reads; a raw query costs at each point what it costs over a slice."""
        if self.slo.form == "query":
            return 0
        named = {"histogram": f"{(*self.slo.metrics, '')[0]}_bucket", "ratio": self.slo.total}
        selected = _selected(
            self.slo, named.get(self.slo.form, self.slo.counter), {} if POOLED in labels.values() else labels
        )
        found = self.prom.query(f"count({selected})", self.span.end).series
        return round(found[0].value) if found else 0

    def _trace(self, element: Element, chosen: Grid | None) -> Trace:
        name, unit = _name(self.slo, element, chosen), self.slo.bound.unit
        promql = "" if chosen is None else self.query(element.labels, chosen)
        if chosen is None or not promql:
            return Trace(name=name, unit=unit, points=(), query="")
        found = points(self.prom, promql, chosen)
        if self.slo.slices is not None:
            found = thinned(found, self.slo)
        return Trace(name=name, unit=unit, points=found, query=promql)

    def query(self, labels: Mapping[str, str], chosen: Grid) -> str:
        """Return the PromQL of one element's line, restricted to its labels; empty where there is none."""
        slo = self.slo
        if POOLED in labels.values() and self.is_whole:
            labels = {}
        if POOLED in labels.values() or set(labels) - set(slo.by):
            return ""
        if slo.form == "query":
            return self._of_query(labels, chosen)
        if slo.form == "histogram":
            return f"histogram_quantile({(slo.p or 50.0) / 100:.10g}, {self._buckets(labels, chosen)})"
        if slo.form == "ratio":
            bad, total = (self._counted(_selected(slo, one, labels), chosen) for one in (slo.bad, slo.total))
            return f"({bad} or {total} * 0) / {total}" if slo.absent_zero else f"{bad} / {total}"
        selected = _selected(slo, slo.counter, labels)
        if slo.slices is not None or self.is_reset:
            return self._counted(selected, chosen)
        return so_far(selected, self.span)

    def _buckets(self, labels: Mapping[str, str], chosen: Grid) -> str:
        """Return one histogram; of several generations a target has one."""
        selected = [_selected(self.slo, f"{metric}_bucket", labels) for metric in self.slo.metrics]
        if len(selected) == 1:
            return self._counted(selected[0], chosen, ("le",))
        return f"sum by (le) ({' or '.join(self._counted(one, chosen, _WHOLE) for one in selected)})"

    def _counted(self, selected: str, chosen: Grid, by: tuple[str, ...] = ()) -> str:
        if self.is_reset:
            return f"sum{by_labels(by)} (increase({selected}[{sliced_queries.millis(chosen.length)}ms]))"
        slices = Slices(mode="peak", length=chosen.length, step=chosen.step)
        return sliced_queries.delta(selected, by, slices)

    def _of_query(self, labels: Mapping[str, str], chosen: Grid) -> str:
        """Return the SLO's own query with `${w}` a slice; one that stands still at `${end}` has no line."""
        if "${end}" in self.slo.query or not self.slo.query:
            return ""
        from_start = self.slo.query.replace("${start}", f"{self.span.start:.3f}")
        filled = fill(from_start, self.span.of(chosen.length), self.facts)
        return f"({filled}) and on ({', '.join(labels)}) {_only(labels)}" if labels else filled


_WHOLE = ("job", "instance", "le")


def thinned(found: Sequence[Point], slo: Slo, most: int = MOST_POINTS) -> tuple[Point, ...]:
    """Return at most `most` points, of neighbours the worst one: a peak that was judged stays to be seen."""
    size = math.ceil(len(found) / most)
    groups = [found[start : start + size] for start in range(0, len(found), max(1, size))]
    return tuple(max(group, key=lambda point: _rank(slo, point)) for group in groups)


def so_far(selected: str, span: Span) -> str:
    """Return what a counter counted from the window's start on; at the window's end that is what is judged.

    The baseline is looked for as far before the start as the last values may lie there, so that series that ended
    before the window count nothing.
    """
    last = f"last_over_time({selected}[{span.range}])"
    back = max(sliced_queries.millis(span.seconds), LOOKBACK_MS)
    return f"sum ({last} - (last_over_time({selected}[{back}ms] @ {span.start:.3f}) or {last} * 0))"


def _only(labels: Mapping[str, str]) -> str:
    """Return one series with these labels, by which an answer is restricted."""
    only = "vector(1)"
    for name, value in labels.items():
        only = f'label_replace({only}, "{name}", {quoted(value.replace("$", "$$"))}, "", "")'
    return only


def _selected(slo: Slo, written: str, labels: Mapping[str, str]) -> str:
    name, inner = split(written)
    wanted = [f"{label}={quoted(value)}" for label, value in labels.items()]
    return selector(name, is_job(slo.job), inner, slo.where, *wanted)


def _name(slo: Slo, element: Element, chosen: Grid | None) -> str:
    what = {"histogram": f"p{slo.p or 50:g}", "ratio": "share", "counter": "count", "query": "value"}[slo.form]
    if slo.form == "counter" and slo.slices is None:
        how = "count since the start"
    else:
        how = f"{what} in slices of {lasting(round(chosen.length, 1))}" if chosen else what
    pooled = POOLED in element.labels.values()
    where = "all that were pooled" if pooled else labelled(dict(element.labels))
    return f"{how}, {where}" if where else how


def _rank(slo: Slo, point: Point) -> float:
    return -math.inf if point[1] is None else badness(slo, point[1])
