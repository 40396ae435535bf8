"""Writing one case's series; every time is in seconds since the window's start."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from itertools import accumulate

from pytest_telescope.metrics.model import Window
from tests.slo.world import EDGES
from tests.slo.world import World

METRIC = "work_duration_seconds"
HOUR_AGO = -3600.0
Burst = tuple[float, float, int]
"""(seconds, value, count): that many observations of one value at one time."""
At = Callable[[float], float | None]
"""Value at a time in seconds since the window's start, None where the series is not there."""


def spelt(edge: float) -> str:
    """Return a bucket's bound as client_golang and Prometheus 3 write it: `1.0`."""
    return "+Inf" if math.isinf(edge) else repr(float(edge))


def spelt_short(edge: float) -> str:
    """Return a bucket's bound as text scrapes of Prometheus 2 keep it: `1`."""
    return spelt(edge).removesuffix(".0")


def fast(count: int, at: float = 20.0) -> Burst:
    """Return observations of 0.6 s."""
    return (at, 0.6, count)


def slow(count: int, at: float = 20.0) -> Burst:
    """Return observations of 4 s."""
    return (at, 4.0, count)


class Job:
    """One Prometheus job; what is written gets its label, an `instance` (i1) and the times of its scrapes."""

    def __init__(self, name: str, *, window: Window, interval: float) -> None:
        self.name = name
        self.window = window
        self.interval = interval
        self.world = World()
        first = -3 - 2 * interval
        number = int((window.seconds - first) // interval) + 1
        self.scrapes = tuple(first + interval * k for k in range(number))
        """The third is the baseline, 3 s before the window; the last is within it."""

    def also(self, name: str) -> Job:
        """Return another job in the same world, scraped at the same times."""
        other = Job(name, window=self.window, interval=self.interval)
        other.world = self.world
        return other

    def series(self, name: str, value: At, *, scrapes: Iterable[float] | None = None, **labels: str) -> None:
        """Write one series."""
        named = {"job": self.name, "instance": "i1", **labels}
        for when in self.scrapes if scrapes is None else scrapes:
            found = value(when)
            if found is not None:
                self.world.sample(name, named, self.window.start + when, found)

    def target(
        self,
        instance: str = "i1",
        *,
        up: At = lambda _: 1.0,
        started: At | None = lambda _: HOUR_AGO,
        scrapes: Iterable[float] | None = None,
        **labels: str,
    ) -> None:
        """Write a target's own series; `started` says when its process did, None that it tells nothing."""
        self.series("up", up, scrapes=scrapes, instance=instance, **labels)
        if started is not None:
            absolute = _since(started, self.window.start)
            seen = [when for when in (self.scrapes if scrapes is None else scrapes) if up(when) == 1.0]
            self.series("process_start_time_seconds", absolute, scrapes=seen, instance=instance, **labels)

    def histogram(
        self,
        bursts: Sequence[Burst],
        *,
        metric: str = METRIC,
        before: int = 1000,
        born: float = -math.inf,
        dies: float = math.inf,
        edges: Sequence[float] = EDGES,
        spell: Callable[[float], str] = spelt,
        scrapes: Iterable[float] | None = None,
        **labels: str,
    ) -> None:
        """Write a histogram with `_sum` and `_count`; `before` observations of 0.1 s are older than its samples."""
        all_bursts = [*bursts, (-math.inf, 0.1, before)]
        times = [when for when in (self.scrapes if scrapes is None else scrapes) if born <= when <= dies]
        for edge in edges:
            inside = [burst for burst in all_bursts if burst[1] <= edge]
            self.series(f"{metric}_bucket", _counted(inside), scrapes=times, **labels, le=spell(edge))
        self.series(f"{metric}_count", _counted(all_bursts), scrapes=times, **labels)
        self.series(f"{metric}_sum", _summed(all_bursts), scrapes=times, **labels)

    def observed(self, *bursts: Burst) -> None:
        """Write a target that was up all the time, with one histogram."""
        self.target()
        self.histogram(bursts)

    def counter(
        self,
        name: str,
        events: Sequence[tuple[float, float]],
        *,
        before: float = 5000,
        born: float = -math.inf,
        dies: float = math.inf,
        **labels: str,
    ) -> None:
        """Write a counter that grows by each event's (seconds, amount)."""
        times = [when for when in self.scrapes if born <= when <= dies]
        self.series(name, lambda now: before + sum(much for at, much in events if at <= now), scrapes=times, **labels)


def _since(value: At, start: float) -> At:
    def absolute(now: float) -> float | None:
        found = value(now)
        return None if found is None else start + found

    return absolute


def _counted(bursts: Sequence[Burst]) -> At:
    return _grown([(at, float(count)) for at, _, count in bursts])


def _summed(bursts: Sequence[Burst]) -> At:
    return _grown([(at, value * count) for at, value, count in bursts])


def _grown(events: Sequence[tuple[float, float]]) -> At:
    """Return the sum of the amounts of all events up to a time."""
    times = sorted(at for at, _ in events)
    sums = [0.0, *accumulate(much for _, much in sorted(events))]
    return lambda now: sums[bisect_right(times, now)]
