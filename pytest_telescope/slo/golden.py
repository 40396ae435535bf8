"""Golden signals of the node in question: what the machine did while an SLO was missed.

Nothing here makes a verdict.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pytest_telescope.scenario.units import seconds
from pytest_telescope.slo import promql
from pytest_telescope.slo.elements import POOLED
from pytest_telescope.slo.guards import ENOUGH_SCRAPES
from pytest_telescope.slo.model import Trace
from pytest_telescope.slo.queries import Span
from pytest_telescope.slo.queries import fill
from pytest_telescope.slo.queries import quoted
from pytest_telescope.slo.queries import selector
from pytest_telescope.slo.slicing import MOST_POINTS
from pytest_telescope.slo.slicing import Asked
from pytest_telescope.slo.slicing import Grid
from pytest_telescope.slo.slicing import Ranges
from pytest_telescope.slo.slicing import points

FILE = Path(__file__).resolve().parent / "golden.yaml"
NODE = "${node}"
EVERY = 'node!=""'
SCRAPED = "targets scraped, job"
"""How the name of the line begins that shows whether the SLO's own targets were scraped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One row of golden.yaml; of `above` and `below` one is a number."""

    name: str
    unit: str
    ways: tuple[str, ...]
    above: float | None = None
    below: float | None = None
    because: str = ""

    def is_unusual(self, value: float) -> bool:
        """Return whether a value stands out."""
        return value > self.above if self.above is not None else value < (self.below or 0.0)

    def worst(self, values: Sequence[tuple[float, float]]) -> tuple[float, float]:
        """Return the (time, value) that stands out most."""
        return (max if self.above is not None else min)(values, key=lambda one: one[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Golden:
    """golden.yaml, read; `slice` and `before` in seconds."""

    signals: tuple[Signal, ...]
    pressure: tuple[str, ...]
    slice: float
    before: float


@cache
def golden() -> Golden:
    """Read golden.yaml once."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document: dict[str, Any] = yaml.load(FILE.read_text(encoding="utf-8"), Loader=loader)
    return Golden(
        signals=tuple(Signal(**{**one, "ways": tuple(one["ways"])}) for one in document["signals"]),
        pressure=tuple(document["pressure"]),
        slice=seconds(document["slice"]),
        before=seconds(document["before"]),
    )


def selectors() -> tuple[str, ...]:
    """Return everything that the signals read, `metric` or `metric{matchers}`: what a smaller recording must keep."""
    known = golden()
    ways = (*known.pressure, *(way for signal in known.signals for way in signal.ways))
    return tuple(dict.fromkeys(selected for way in ways for selected in _selected(way)))


def signals(prom: Asked, span: Span, node: str, *, names: Sequence[str]) -> tuple[Trace, ...]:
    """Return the signals of a node, without its name of the one with the most pressure; none where no node is known.

    A signal that was not recorded is a line without points; `names` are those of all metrics that were.

    Raises:
        MetricsError: Prometheus is gone or refused.
    """
    recorded = frozenset(names)
    if node in {"", POOLED}:
        node = pressed(prom, span, recorded)
    return tuple(_trace(prom, signal, node, span, recorded) for signal in (golden().signals if node else ()))


def pressed(prom: Asked, span: Span, recorded: frozenset[str]) -> str:
    """Return the node with the most pressure over the window, empty where no signal knows a node."""
    for way in golden().pressure:
        if not _metrics(way) <= recorded:
            continue
        found = prom.query(fill(way.replace(NODE, EVERY), span, {}), span.end).series
        numbers = [one for one in found if math.isfinite(one.value)]
        if numbers:
            return max(numbers, key=lambda one: one.value).labels.get("node", "")
    return ""


def scraped(prom: Ranges, job: str, span: Span) -> Trace:
    """Return how many of a job's targets were scraped, scrape by scrape (or less often where the window is long)."""
    step = span.interval * max(1, math.ceil(span.seconds / (MOST_POINTS * span.interval)))
    count = min(MOST_POINTS, math.floor(span.seconds / step) + 1)
    asked = selector("up", f"job={quoted(job)}")
    promql = f"sum(max_over_time({asked}[{round(1500 * span.interval)}ms]))"
    chosen = Grid(first=span.end - (count - 1) * step, step=step, count=count, length=step)
    return Trace(name=f"{SCRAPED} {job}", unit="count", points=points(prom, promql, chosen), query=promql)


def _trace(prom: Ranges, signal: Signal, node: str, span: Span, recorded: frozenset[str]) -> Trace:
    chosen = _grid(span)
    slices = span.of(chosen.length)
    asked = {way: fill(way.replace(NODE, f"node={quoted(node)}"), slices, {}) for way in signal.ways}
    name = f"{signal.name} {node}"
    for way, query in asked.items():
        found = points(prom, query, chosen) if _metrics(way) <= recorded else ()
        if any(value is not None for _, value in found):
            return Trace(name=name, unit=signal.unit, points=found, query=query)
    return Trace(name=name, unit=signal.unit, points=(), query=asked[signal.ways[0]])


def _grid(span: Span) -> Grid:
    """Return slices from before the window (as long as it is, at most) to its end."""
    settings = golden()
    whole = span.seconds + min(settings.before, span.seconds)
    step = span.interval * max(1, math.ceil(whole / (MOST_POINTS * span.interval)))
    count = min(MOST_POINTS, math.floor(whole / step) + 1)
    length = max(settings.slice, step, ENOUGH_SCRAPES * span.interval)
    return Grid(first=span.end - (count - 1) * step, step=step, count=count, length=length)


def _selected(way: str) -> Iterator[str]:
    for one in promql.selectors(way):
        matchers = [part for part in one.matchers.split(",") if part != NODE]
        yield selector(one.name, ",".join(matchers))


@cache
def _metrics(way: str) -> frozenset[str]:
    return frozenset(one.name for one in promql.selectors(way))
