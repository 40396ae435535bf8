"""Where one SLO's questions are asked: each answer is kept, and what is wrong with it is written down."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Any
from typing import TypeVar

from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.client import RangeAnswer
from pytest_telescope.metrics.client import Samples
from pytest_telescope.metrics.model import Answer
from pytest_telescope.slo.queries import Span

_Got = TypeVar("_Got")
LARGE = 100
"""Series of an answer that only the next few questions may share: all of them would fill the memory."""
KEPT = 12
"""Large answers kept."""


@dataclass(slots=True)
class Desk:
    """One SLO's questions over one window.

    Attributes:
        memory: answers by question, shared by all SLOs of a window.
        types: metric -> its type as the targets told it; empty where that was not recorded.
        asked: PromQL in the order asked.
        problems: what makes the SLO INVALID.
        notes: guard -> finding.
        observed: observations over all elements, where pooling would count some twice.
        merged: labels of what was observed, where `sparse: merge` may have hidden them.
        worst_slice: unix seconds at which the worst element's worst slice ends.
    """

    prom: Prometheus
    span: Span
    memory: dict[str, Any] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    observed: float | None = None
    merged: list[dict[str, str]] = field(default_factory=list)
    worst_slice: float | None = None

    def ask(self, promql: str, *, at: float | None = None) -> Answer:
        """Evaluate at the window's end (or `at`); a warning, or a histogram that had to be mended, is a problem.

        Raises:
            MetricsError: Prometheus is gone or refused.
        """
        answer = self.peek(promql, at)
        self._note(promql)
        self._look_at(answer)
        return answer

    def peek(self, promql: str, at: float | None = None) -> Answer:
        """Evaluate like `ask` for a picture: the verdict does not rest on it, so nothing is noted.

        Raises:
            MetricsError: Prometheus is gone or refused.
        """
        when = self.span.end if at is None else at
        key = f"{promql} @{when}"
        answer = self._once(key, lambda: self.prom.query(promql, when))
        self._forget(key, len(answer.series))
        return answer

    def ask_range(self, promql: str, start: float, end: float, step: float) -> RangeAnswer:
        """Evaluate at `start`, `start + step` ... `end` (unix seconds), with `ask`'s care for warnings.

        Raises:
            MetricsError: Prometheus is gone or refused.
        """
        answer = self.line(promql, start, end, step)
        self._note(promql)
        self._look_at(answer)
        return answer

    def line(self, promql: str, start: float, end: float, step: float) -> RangeAnswer:
        """Evaluate like `ask_range` for a picture: the verdict does not rest on it, so nothing is noted.

        Raises:
            MetricsError: Prometheus is gone or refused.
        """
        key = f"{promql} @{start}..{end}/{step}"
        answer = self._once(key, lambda: self.prom.query_range(promql, start, end, step))
        self._forget(key, sum(len(one.values) for one in answer.series))
        return answer

    def samples(self, promql: str) -> tuple[Samples, ...]:
        """Return the raw samples of a range selector at the window's end; they are many, so nothing remembers them.

        Raises:
            MetricsError: Prometheus is gone or refused.
        """
        self._note(promql)
        return self.prom.samples(promql, self.span.end)

    def metric_names(self) -> tuple[str, ...]:
        """Return all metric names of the recording."""
        return self._once("", self.prom.metric_names)

    def no_data(self, metric: str, selected: str) -> str:
        """Explain why `selected` found nothing: recorded but not matched, or never recorded (with the nearest name)."""
        known = self.metric_names()
        if metric in known:
            return f"no data: {selected} matches no series in the window, though {metric} was recorded"
        return f"no data: metric {metric} was not recorded{self.nearest(metric)}"

    def nearest(self, metric: str) -> str:
        """Return `; the nearest name that was is ..` of the recorded names, nothing where none is near."""
        found = self.once(f"near {metric}", lambda own: difflib.get_close_matches(metric, own.metric_names(), 1, 0.75))
        return f"; the nearest name that was is {found[0]}" if found else ""

    def once(self, key: str, get: Callable[[Desk], _Got]) -> _Got:
        """Return what `get` found at a desk of its own, once for all SLOs of the window; `key` names it and its inputs.

        What was asked and found wrong there is told at each desk that uses it.
        """

        def look() -> tuple[_Got, Desk]:
            own = Desk(self.prom, self.span, self.memory)
            return get(own), own

        found, own = self._once(f"{key} @{self.span.range} {self.span.end}", look)
        for promql in own.asked:
            self._note(promql)
        self.problem(*own.problems)
        self.notes.update(own.notes)
        return found

    def problem(self, *texts: str) -> None:
        """Write down what makes the SLO INVALID, each once."""
        known = set(self.problems)
        self.problems.extend(text for text in dict.fromkeys(texts) if text not in known)

    def _forget(self, key: str, size: int) -> None:
        """Keep only the last few of the large answers."""
        large: dict[str, None] = self.memory.setdefault("large answers", {})
        if size > LARGE and key not in large:
            large[key] = None
            if len(large) > KEPT:
                oldest = next(iter(large))
                del large[oldest], self.memory[oldest]

    def _look_at(self, answer: Answer | RangeAnswer) -> None:
        self.problem(*(f"Prometheus warns: {warning}" for warning in answer.warnings))
        for info in answer.infos:
            if "monotonicity" in info:
                self.problem(f"Prometheus mended the histogram: {info}")
            self.notes.setdefault("info", info)

    def _once(self, key: str, get: Callable[[], _Got]) -> _Got:
        if key not in self.memory:
            self.memory[key] = get()
        found: _Got = self.memory[key]
        return found

    def _note(self, promql: str) -> None:
        if promql not in self.asked:
            self.asked.append(promql)
