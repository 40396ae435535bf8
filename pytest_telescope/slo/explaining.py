"""What a person wants to see of a judgement beside its number: lines over the window, and the node's golden signals."""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace

from pytest_telescope.errors import MetricsError
from pytest_telescope.metrics.client import RangeAnswer
from pytest_telescope.metrics.model import Answer
from pytest_telescope.slo import golden
from pytest_telescope.slo import special
from pytest_telescope.slo.coverage import TELEMETRY_JOB
from pytest_telescope.slo.desk import Desk
from pytest_telescope.slo.model import Judgement
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.model import Trace
from pytest_telescope.slo.model import Verdict
from pytest_telescope.slo.traces import RED_ELEMENTS
from pytest_telescope.slo.traces import Lines

PATIENCE = 10.0
"""Seconds that may be spent on one SLO; a line that was not asked for in time is left out, and that is told."""
RED = frozenset({Verdict.FAIL, Verdict.INVALID})


def explained(
    judgement: Judgement,
    slo: Slo,
    desk: Desk,
    facts: Mapping[str, object],
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Judgement:
    """Return the judgement with its traces, and with signals where it is red; never another verdict, never an error.

    Its queries are not those of the verdict, so the desk does not note them.
    """
    if judgement.verdict not in {*RED, Verdict.PASS}:
        return judgement
    prom = _Bounded(desk, clock() + PATIENCE, clock)
    notes: list[str] = []
    lines = _tried(lambda: _traces(judgement, slo, desk, prom, facts), notes)
    signals = _tried(lambda: _signals(judgement, slo, desk, prom), notes) if judgement.verdict in RED else ()
    guards = {**judgement.guards, "pictures": "; ".join(notes)} if notes else judgement.guards
    return replace(judgement, traces=lines, signals=signals, guards=guards)


def _traces(
    judgement: Judgement, slo: Slo, desk: Desk, prom: _Bounded, facts: Mapping[str, object]
) -> tuple[Trace, ...]:
    if slo.id in special.JUDGES:
        return ()
    shown = judgement.elements[: RED_ELEMENTS if judgement.verdict in RED else 1]
    reset = desk.notes.get("resets", "none") != "none"
    whole = len(judgement.elements) == 1
    return Lines(slo=slo, prom=prom, span=desk.span, facts=facts, is_reset=reset, is_whole=whole).of(shown)


def _signals(judgement: Judgement, slo: Slo, desk: Desk, prom: _Bounded) -> tuple[Trace, ...]:
    node = judgement.labels.get("node", "")
    found = _of_node(prom, desk, node)
    if judgement.verdict is Verdict.INVALID and slo.job not in {None, TELEMETRY_JOB}:
        return (golden.scraped(prom, slo.job or "", desk.span), *found)
    return found


def _of_node(prom: _Bounded, desk: Desk, node: str) -> tuple[Trace, ...]:
    """Ask once for all SLOs of a window that are red because of the same node."""
    key = f"signals {node} {desk.span.start_ms} {desk.span.end_ms}"
    if key not in desk.memory:
        desk.memory[key] = golden.signals(prom, desk.span, node, names=desk.metric_names())
    found: tuple[Trace, ...] = desk.memory[key]
    return found


def _tried(get: Callable[[], tuple[Trace, ...]], notes: list[str]) -> tuple[Trace, ...]:
    try:
        return get()
    except MetricsError as error:
        notes.append(f"left out: {str(error).partition(chr(10))[0]}")
    except (ArithmeticError, LookupError, ValueError) as error:  # a mistake here must not cost the verdict, but be seen
        notes.append(f"left out: {type(error).__name__}: {error}")
    return ()


@dataclass(frozen=True, slots=True)
class _Bounded:
    """A Prometheus that is asked nothing any more once time is up."""

    desk: Desk
    deadline: float
    clock: Callable[[], float]

    def query(self, promql: str, time: float | None = None) -> Answer:
        """Ask, while there is time."""
        self._check()
        return self.desk.peek(promql, time)

    def query_range(self, promql: str, start: float, end: float, step: float) -> RangeAnswer:
        """Ask, while there is time."""
        self._check()
        return self.desk.line(promql, start, end, step)

    def _check(self) -> None:
        if self.clock() >= self.deadline:
            raise MetricsError(f"not asked within {PATIENCE:g} s")
