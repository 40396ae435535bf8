"""A small world of scraped targets with answers known in closed form, written as OpenMetrics and served for real."""

from __future__ import annotations

import math
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field

from pytest_telescope.metrics.model import Window

T0 = 1_700_000_000.0
INTERVAL = 5.0
WINDOW = Window(start=T0, end=T0 + 60, steps={})
SCRAPES = tuple(T0 - 13 + 5 * k for k in range(15))
"""From 13 s before the window to 3 s before its end: -3 is the baseline, +52 and +57 the two scrapes after the load."""
EDGES = (0.5, 1.0, 2.0, 5.0, 10.0, math.inf)

Counter = Callable[[float], float | None]
"""Value at a time, None where the series is not there."""


@dataclass
class World:
    """Collects samples by series; a series keeps the order in which it is written."""

    series: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def sample(self, name: str, labels: Mapping[str, str], when: float, value: float) -> None:
        """Add one sample."""
        inner = ",".join(f'{key}="{text}"' for key, text in labels.items())
        self.series.setdefault(f"{name}{{{inner}}}", []).append((when, value))

    def target(
        self,
        job: str,
        instance: str = "i1",
        *,
        scrapes: Sequence[float] = SCRAPES,
        up: Counter = lambda _: 1.0,
        process_start: Counter = lambda _: T0 - 3600,
    ) -> None:
        """Add a target's own series."""
        labels = {"job": job, "instance": instance}
        self.counter("up", labels, up, scrapes)
        self.counter("process_start_time_seconds", labels, process_start, scrapes)

    def counter(self, name: str, labels: Mapping[str, str], value: Counter, scrapes: Iterable[float] = SCRAPES) -> None:
        """Add one series sampled at every scrape."""
        for when in scrapes:
            found = value(when)
            if found is not None:
                self.sample(name, labels, when, found)

    def histogram(
        self,
        name: str,
        labels: Mapping[str, str],
        observations: Sequence[tuple[float, float]],
        *,
        before: int = 0,
        scrapes: Sequence[float] = SCRAPES,
        edges: Sequence[float] = EDGES,
        spell: Callable[[float], str] = lambda edge: "+Inf" if math.isinf(edge) else f"{edge:.1f}",
        born: float = -math.inf,
    ) -> None:
        """Add a histogram of (time, value) observations; `before` ones of 0 s were there from the beginning."""
        for edge in edges:
            seen = [when for when, value in observations if value <= edge]
            self.counter(
                f"{name}_bucket",
                {**labels, "le": spell(edge)},
                lambda now, seen=seen: before + sum(w <= now for w in seen) if now >= born else None,  # type: ignore[misc] # bound early
                scrapes,
            )
        self.counter(
            f"{name}_sum",
            labels,
            lambda now: sum(value for when, value in observations if when <= now) if now >= born else None,
            scrapes,
        )
        self.counter(
            f"{name}_count",
            labels,
            lambda now: before + sum(when <= now for when, _ in observations) if now >= born else None,
            scrapes,
        )

    def openmetrics(self) -> str:
        """Return everything as OpenMetrics text; series of one name stand together."""
        lines = [
            f"{series} {value:.10g} {when:.3f}" for series in sorted(self.series) for when, value in self.series[series]
        ]
        return "\n".join([*lines, "# EOF", ""])


def observed(count: int, value: float, at: float = T0 + 20) -> list[tuple[float, float]]:
    """Return `count` observations of `value`, all at one time."""
    return [(at, value)] * count
