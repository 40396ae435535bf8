"""The PromQL that the harness itself builds; pure text, each evaluated as an instant query at the window's end."""

from __future__ import annotations

import math
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace

from pytest_telescope.metrics.model import Window

LOOKBACK_MS = 300_000
LOOKBACK = "5m"
"""How long before the window a series' last value is its baseline, as long as Prometheus itself looks back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A window in whole milliseconds, as PromQL needs it; never shorter than the window it was made from."""

    start_ms: int
    end_ms: int
    interval: float

    @property
    def start(self) -> float:
        """Unix seconds."""
        return self.start_ms / 1000

    @property
    def end(self) -> float:
        """Unix seconds; the time at which everything is evaluated."""
        return self.end_ms / 1000

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return (self.end_ms - self.start_ms) / 1000

    @property
    def range(self) -> str:
        """The window as a PromQL duration; ranges are left-open, so a sample at `start` is not in it."""
        return f"{self.end_ms - self.start_ms}ms"

    @property
    def with_baseline(self) -> str:
        """The window and two scrapes before it, so that the last sample before it is seen too."""
        return f"{self.end_ms - self.start_ms + round(2000 * self.interval)}ms"

    @property
    def with_lookback(self) -> str:
        """The window and as long before it as the baseline is looked for."""
        return f"{self.end_ms - self.start_ms + LOOKBACK_MS}ms"

    def of(self, seconds: float) -> Span:
        """Return the last `seconds` of it."""
        return replace(self, start_ms=self.end_ms - round(seconds * 1000))


def span(window: Window, interval: float) -> Span:
    """Return the window floored and ceiled to milliseconds."""
    return Span(
        start_ms=math.floor(window.start * 1000), end_ms=math.ceil(round(window.end * 1000, 3)), interval=interval
    )


def step_window(window: Window, step: str, interval: float) -> Window:
    """Return the part of a window in which one step of the load ran.

    Counters are read by scrapes, so it lasts until every target was scraped once more after the step, two intervals at
    most; what the next step did in those seconds is in it.
    """
    start, end = window.steps[step]
    return replace(window, start=max(start, window.start), end=min(end + 2 * interval, window.end))


def selector(metric: str, *matchers: str) -> str:
    """Return `metric{matchers}`, leaving empty matchers out."""
    inner = ", ".join(matcher for matcher in matchers if matcher)
    return f"{metric}{{{inner}}}" if inner else metric


def with_matcher(selected: str, matcher: str) -> str:
    """Return a selector with one matcher more."""
    name, _, inner = selected.partition("{")
    return selector(name, inner.removesuffix("}"), matcher)


def quoted(value: str) -> str:
    """Return a PromQL string."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def is_job(job: str | None) -> str:
    """Return the matcher of one job, empty for None."""
    return f"job={quoted(job)}" if job else ""


def any_job(jobs: Iterable[str]) -> str:
    """Return the matcher of several jobs."""
    return f"job=~{quoted('|'.join(sorted(jobs)))}"


def by_labels(labels: Iterable[str]) -> str:
    """Return ` by (a, b)`, nothing for no labels."""
    inner = ", ".join(labels)
    return f" by ({inner})" if inner else ""


def delta(selected: str, by: tuple[str, ...], span: Span) -> str:
    """D: what a counter counted inside the window; a series that was not there at the start counts from zero.

    Exact and whole: nothing is extrapolated, and series that ended before the window did are in it. Wrong after a
    counter reset, which `resets` finds.
    """
    last = f"last_over_time({selected}[{span.range}])"
    return f"sum{by_labels(by)} ({last} - ({known_at(selected, f'@ {span.start:.3f}')} or {last} * 0))"


def known_at(selected: str, moved: str) -> str:
    """Return the last value known at a moment, `@ <time>` or `offset <range>`.

    A plain selector finds nothing behind the staleness marker of one scrape that failed or did not show the series,
    which would then count its whole lifetime. `resets` looks from that same sample on.
    """
    return f"last_over_time({selected}[{LOOKBACK}] {moved})"


def born_safe_increase(selected: str, by: tuple[str, ...], span: Span) -> str:
    """I: the increase with resets healed, born series counted from zero; extrapolated, for reporting only."""
    rise = f"increase({selected}[{span.with_baseline}])"
    born = f"(min_over_time({selected}[{span.range}]) unless {selected} @ {span.start:.3f})"
    return f"sum{by_labels(by)} ({rise} + ({born} or 0 * {rise}))"


def resets(selected: str, span: Span) -> str:
    """R: targets with the number of counter resets in the window, the step from the baseline included."""
    return f"max by (job, instance) ({since_baseline('resets', selected, span)}) > 0"


def since_baseline(function: str, selected: str, span: Span) -> str:
    """Count with `function` from the last sample before the window on: what happened before that one is taken off."""
    every = f"{function}({selected}[{span.with_lookback}])"
    before = f"{function}({selected}[{LOOKBACK}] @ {span.start:.3f})"
    return f"{every} - ({before} or 0 * {every})"


def witnesses(selected: str, span: Span) -> str:
    """Which targets show the metric inside the window; a summary's quantiles apart."""
    return f"group by (job, instance, quantile) (last_over_time({selected}[{span.range}]))"


def fill(query: str, span: Span, facts: Mapping[str, object]) -> str:
    """Fill `${w}`, `${w_s}`, `${start}`, `${end}`, `${scrape}`, `${nodes}` and `%v` into a raw query."""
    values = {
        "${w}": span.range,
        "%v": span.range,
        "${w_s}": f"{span.seconds:.3f}",
        "${start}": f"{span.start:.3f}",
        "${end}": f"{span.end:.3f}",
        "${scrape}": f"{round(span.interval * 1000)}ms",
        "${nodes}": "|".join(names(facts.get("nodes"))),
    }
    for name, value in values.items():
        query = query.replace(name, value)
    return query


def names(value: object) -> tuple[str, ...]:
    """Read a fact that is a list of names: a list, or one text with commas."""
    if value is None:
        return ()
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return tuple(str(part) for part in value) if isinstance(value, Iterable) else (str(value),)
