"""The judge: one SLO, one window, one Prometheus; everything that is missing or doubtful is red."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from pytest_telescope.errors import MetricsError
from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.metadata import types as types_of
from pytest_telescope.metrics.model import Recording
from pytest_telescope.metrics.model import Window
from pytest_telescope.metrics.serving import serve
from pytest_telescope.slo import queries
from pytest_telescope.slo import special
from pytest_telescope.slo import wording
from pytest_telescope.slo.asking import by_query
from pytest_telescope.slo.counting import by_counter
from pytest_telescope.slo.counting import by_ratio
from pytest_telescope.slo.desk import Desk
from pytest_telescope.slo.expected import look_at_expected
from pytest_telescope.slo.expected import no_step
from pytest_telescope.slo.explaining import explained
from pytest_telescope.slo.forms import by_histogram
from pytest_telescope.slo.guards import InvalidError
from pytest_telescope.slo.judgement import judgement
from pytest_telescope.slo.judgement import without_value
from pytest_telescope.slo.model import Element
from pytest_telescope.slo.model import Judgement
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.model import Verdict
from pytest_telescope.slo.needed import not_recorded
from pytest_telescope.slo.versions import outside

MOST_DRIFT = 1.0
"""Seconds that the two clocks may part while a load runs before its window means nothing."""


@dataclass(slots=True, kw_only=True)
class Judge:
    """Judges the SLOs of one recording by id: `judge("sandbox-create")`.

    Attributes:
        types: metric -> its type as the targets told it; empty for recordings that do not hold them.
        memory: answers of Prometheus by question, so that SLOs share them.
    """

    prom: Prometheus
    recording: Recording
    slos: Mapping[str, Slo]
    facts: Mapping[str, object]
    targets: Mapping[str, int]
    types: Mapping[str, str] = field(default_factory=dict)
    memory: dict[str, Any] = field(default_factory=dict)

    def __call__(self, slo_id: str) -> Judgement:
        """Return the judgement of one SLO; a Prometheus that is gone is the verdict ERROR, never an exception."""
        slo = self.slos[slo_id]
        if slo.skip is None and (lacking := not_recorded(slo, self.recording.selectors)):
            return without_value(slo, Verdict.INVALID, f"{slo.id}: {lacking}")
        return judge(
            slo,
            self.prom,
            self.recording.window,
            facts=self.facts,
            scrape_interval=self.recording.scrape_interval,
            targets=self.targets,
            drift=self.recording.clock_drift,
            types=self.types,
            memory=self.memory,
        )


@contextmanager
def judge_over(
    recording: Recording, slos: Iterable[Slo], *, facts: Mapping[str, object], targets: Mapping[str, int]
) -> Iterator[Judge]:
    """Serve a recording and judge over it while the context lasts.

    Raises:
        MetricsError: the recording cannot be served.
        ToolError: Prometheus cannot be had.
    """
    known = types_of(recording.path)
    by_id = {slo.id: slo for slo in slos}
    with serve(recording) as prom:
        yield Judge(prom=prom, recording=recording, slos=by_id, facts=facts, targets=targets, types=known)


def judge_all(
    slos: Iterable[Slo], recording: Recording, facts: Mapping[str, object], targets: Mapping[str, int]
) -> list[Judgement]:
    """Judge all SLOs over one recording, in order.

    Raises:
        MetricsError: the recording cannot be served.
        ToolError: Prometheus cannot be had.
    """
    wanted = list(slos)
    with judge_over(recording, wanted, facts=facts, targets=targets) as one:
        return [one(slo.id) for slo in wanted]


def judge(
    slo: Slo,
    prom: Prometheus,
    window: Window,
    *,
    facts: Mapping[str, object],
    scrape_interval: float,
    targets: Mapping[str, int],
    drift: float = 0.0,
    types: Mapping[str, str] | None = None,
    memory: dict[str, Any] | None = None,
) -> Judgement:
    """Judge one SLO over a window.

    Args:
        slo: resolved and linted.
        prom: what answers.
        window: in Prometheus' time.
        facts: of the cluster; `nodes` fills `${nodes}`, versions are what `trust` is held against.
        scrape_interval: seconds.
        targets: job -> number of targets that must have been scraped.
        drift: seconds that the clocks of controller and Prometheus parted in the window.
        types: metric -> its type as the targets told it.
        memory: answers to share between SLOs of the same recording.
    """
    if slo.skip is not None:
        return without_value(slo, Verdict.SKIP, slo.skip)
    if untrusted := outside(slo.trust, facts):
        return without_value(slo, Verdict.INVALID, f"{slo.id}: {untrusted}")
    if slo.during:
        if slo.during not in window.steps:
            return without_value(slo, Verdict.INVALID, no_step(slo, window))
        window = queries.step_window(window, slo.during, scrape_interval)
    desk = Desk(prom, queries.span(window, scrape_interval), memory if memory is not None else {}, types or {})
    if abs(drift) > MOST_DRIFT:
        desk.problem(f"the clocks of controller and Prometheus parted by {drift:.2f} s in the window")
    return _judged(slo, desk, window, facts, targets)


def _judged(slo: Slo, desk: Desk, window: Window, facts: Mapping[str, object], targets: Mapping[str, int]) -> Judgement:
    try:
        slo, elements, text = _elements(slo, desk, window, facts, targets)
    except InvalidError as error:
        desk.problems.insert(0, str(error))
        found = without_value(slo, Verdict.INVALID, wording.problems(slo, desk.problems), desk)
        return explained(found, slo, desk, facts)
    except MetricsError as error:
        return without_value(slo, Verdict.ERROR, f"{slo.id}: {error}", desk)
    look_at_expected(slo, desk, facts, elements)
    return explained(judgement(slo, desk, elements, text), slo, desk, facts)


def _elements(
    slo: Slo, desk: Desk, window: Window, facts: Mapping[str, object], targets: Mapping[str, int]
) -> tuple[Slo, list[Element], str]:
    """Return the SLO (its bound on a live bucket), its elements, and a message where the SLO has its own."""
    if slo.id in special.JUDGES:
        elements, text = special.JUDGES[slo.id](slo, desk, window, targets)
        return slo, elements, text
    if slo.form == "histogram":
        return *by_histogram(slo, desk, targets), ""
    if slo.form == "ratio":
        return slo, by_ratio(slo, desk, targets), ""
    if slo.form == "counter":
        return slo, by_counter(slo, desk, targets), ""
    return slo, by_query(slo, desk, targets, facts), ""
