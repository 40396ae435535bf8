"""Where one SLO's questions are asked: each answer is kept, and what is wrong with it is written down."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from typing import Any
from typing import TypeVar

from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.client import Samples
from pytest_telescope.metrics.model import Answer
from pytest_telescope.slo.queries import Span

_Got = TypeVar("_Got")


@dataclass(slots=True)
class Desk:
    """One SLO's questions over one window.

    Attributes:
        memory: answers by question, shared by all SLOs of a window.
        asked: PromQL in the order asked.
        problems: what makes the SLO INVALID.
        notes: guard -> finding.
        observed: observations over all elements, where pooling would count some twice.
    """

    prom: Prometheus
    span: Span
    memory: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    observed: float | None = None

    def ask(self, promql: str, *, at: float | None = None) -> Answer:
        """Evaluate at the window's end (or `at`); a warning, or a histogram that had to be mended, is a problem.

        Raises:
            MetricsError: Prometheus is gone or refused.
        """
        when = self.span.end if at is None else at
        answer = self._once(f"{promql} @{when}", lambda: self.prom.query(promql, when))
        self._note(promql)
        for warning in answer.warnings:
            self._problem(f"Prometheus warns: {warning}")
        for info in answer.infos:
            if "monotonicity" in info:
                self._problem(f"Prometheus mended the histogram: {info}")
            self.notes.setdefault("info", info)
        return answer

    def samples(self, promql: str) -> tuple[Samples, ...]:
        """Return the raw samples of a range selector at the window's end.

        Raises:
            MetricsError: Prometheus is gone or refused.
        """
        self._note(promql)
        return self._once(promql, lambda: self.prom.samples(promql, self.span.end))

    def metric_names(self) -> tuple[str, ...]:
        """Return all metric names of the recording."""
        return self._once("", self.prom.metric_names)

    def no_data(self, metric: str, selected: str) -> str:
        """Explain why `selected` found nothing: recorded but not matched, or never recorded (with the nearest name)."""
        known = self.metric_names()
        if metric in known:
            return f"no data: {selected} matches no series in the window, though {metric} was recorded"
        near = difflib.get_close_matches(metric, known, 1, 0.75)
        hint = f"; the nearest name that was is {near[0]}" if near else ""
        return f"no data: metric {metric} was not recorded{hint}"

    def _once(self, key: str, get: Callable[[], _Got]) -> _Got:
        if key not in self.memory:
            self.memory[key] = get()
        found: _Got = self.memory[key]
        return found

    def _note(self, promql: str) -> None:
        if promql not in self.asked:
            self.asked.append(promql)

    def _problem(self, text: str) -> None:
        if text not in self.problems:
            self.problems.append(text)
