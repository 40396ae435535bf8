"""The judge: one SLO, one window, one Prometheus; everything that is missing or doubtful is red."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from pytest_telescope.errors import MetricsError
from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.model import Recording
from pytest_telescope.metrics.model import Window
from pytest_telescope.metrics.serving import serve
from pytest_telescope.slo import queries
from pytest_telescope.slo import special
from pytest_telescope.slo import wording
from pytest_telescope.slo.bounds import margin
from pytest_telescope.slo.desk import Desk
from pytest_telescope.slo.elements import unseen
from pytest_telescope.slo.elements import worst
from pytest_telescope.slo.elements import worst_first
from pytest_telescope.slo.forms import InvalidError
from pytest_telescope.slo.forms import by_histogram
from pytest_telescope.slo.forms import by_query
from pytest_telescope.slo.forms import by_ratio
from pytest_telescope.slo.model import Element
from pytest_telescope.slo.model import Judgement
from pytest_telescope.slo.model import Slo
from pytest_telescope.slo.model import Verdict

MOST_DRIFT = 1.0
"""Seconds that the two clocks may part while a load runs before its window means nothing."""


@dataclass(slots=True, kw_only=True)
class Judge:
    """Judges the SLOs of one recording by id: `judge("sandbox-create")`.

    Attributes:
        memory: answers of Prometheus by question, so that SLOs share them.
    """

    prom: Prometheus
    recording: Recording
    slos: Mapping[str, Slo]
    facts: Mapping[str, object]
    targets: Mapping[str, int]
    memory: dict[str, Any] = field(default_factory=dict)

    def __call__(self, slo_id: str) -> Judgement:
        """Return the judgement of one SLO; a Prometheus that is gone is the verdict ERROR, never an exception."""
        return judge(
            self.slos[slo_id],
            self.prom,
            self.recording.window,
            facts=self.facts,
            scrape_interval=self.recording.scrape_interval,
            targets=self.targets,
            drift=self.recording.clock_drift,
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
    with serve(recording) as prom:
        yield Judge(prom=prom, recording=recording, slos={slo.id: slo for slo in slos}, facts=facts, targets=targets)


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
    memory: dict[str, Any] | None = None,
) -> Judgement:
    """Judge one SLO over a window.

    Args:
        slo: resolved and linted.
        prom: what answers.
        window: in Prometheus' time.
        facts: of the cluster; `nodes` fills `${nodes}`.
        scrape_interval: seconds.
        targets: job -> number of targets that must have been scraped.
        drift: seconds that the clocks of controller and Prometheus parted in the window.
        memory: answers to share between SLOs of the same window.
    """
    if slo.skip is not None:
        return _without_value(slo, Verdict.SKIP, slo.skip)
    if slo.during:
        if slo.during not in window.steps:
            return _without_value(slo, Verdict.INVALID, _no_step(slo, window))
        window, memory = queries.step_window(window, slo.during, scrape_interval), None
    desk = Desk(prom, queries.span(window, scrape_interval), memory if memory is not None else {})
    if abs(drift) > MOST_DRIFT:
        desk.problems.append(f"the clocks of controller and Prometheus parted by {drift:.2f} s in the window")
    try:
        slo, elements, text = _elements(slo, desk, window, facts, targets)
    except InvalidError as error:
        desk.problems.insert(0, str(error))
        return _without_value(slo, Verdict.INVALID, wording.problems(slo, desk.problems), desk)
    except MetricsError as error:
        return _without_value(slo, Verdict.ERROR, f"{slo.id}: {error}", desk)
    return _judgement(slo, desk, _expected(slo, desk, facts, elements), text)


def _no_step(slo: Slo, window: Window) -> str:
    near = difflib.get_close_matches(slo.during, window.steps, 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"{slo.id}: the load had no step {slo.during!r}: it had {', '.join(window.steps) or 'none'}{hint}"


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
    return slo, by_query(slo, desk, targets, facts), ""


def _expected(slo: Slo, desk: Desk, facts: Mapping[str, object], elements: list[Element]) -> tuple[Element, ...]:
    wanted = {label: _wanted(value, facts) for label, value in slo.expect.items()}
    for label, values in wanted.items():
        if not values:
            desk.problems.append(f"expect: nothing is known that {label} should be ({slo.expect[label]})")
    if missing := unseen(wanted, elements):
        desk.problems.append(f"no observations of {', '.join(missing)}, which is expected")
    return worst_first(elements, slo)


def _wanted(value: object, facts: Mapping[str, object]) -> tuple[str, ...]:
    if isinstance(value, str) and value.startswith("${") and value.endswith("}"):
        value = facts.get(value[2:-1])
    return queries.names(value)


def _judgement(slo: Slo, desk: Desk, elements: tuple[Element, ...], text: str) -> Judgement:
    first = elements[0]
    verdict = worst([*(one.verdict for one in elements), *(Verdict.INVALID for _ in desk.problems[:1])])
    counts = [one.count for one in elements if one.count is not None]
    if slo.bound.note:
        desk.notes["bound"] = slo.bound.note
    return Judgement(
        slo=slo.id,
        verdict=verdict,
        message=wording.message(slo, elements, desk.problems, text),
        unit=slo.bound.unit,
        bound=slo.bound,
        value=first.value,
        count=desk.observed if desk.observed is not None else sum(counts) if counts else None,
        margin=None if first.value is None else margin(slo.bound, first.value),
        labels=first.labels,
        bucket=first.bucket,
        elements=elements,
        guards=desk.notes,
        queries=tuple(desk.asked),
        time=desk.span.end,
        level=slo.level,
        look_at=slo.look_at,
    )


def _without_value(slo: Slo, verdict: Verdict, message: str, desk: Desk | None = None) -> Judgement:
    return Judgement(
        slo=slo.id,
        verdict=verdict,
        message=message,
        unit=slo.bound.unit,
        bound=slo.bound,
        guards=desk.notes if desk else {},
        queries=tuple(desk.asked) if desk else (),
        time=desk.span.end if desk else None,
        level=slo.level,
        look_at=slo.look_at,
    )
