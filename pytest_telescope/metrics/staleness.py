"""Finding out when series ended: the mark that Prometheus stores for it is never in an answer.

An instant query finds a series until its mark, or for `LOOKBACK_MS` without one. So where a gap begins, it is asked one
scrape interval after the other until the series is away, goes on, or would be away anyway.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pytest_telescope.metrics.client import Prometheus
from pytest_telescope.metrics.client import Samples

LOOKBACK_MS = 300_000
"""How long a series without a mark is still there after its last sample: `--query.lookback-delta`."""
GAP = 1.5
"""Scrape intervals without a sample after which a series may have ended."""
MOST_POINTS = 11_000
"""Points of a series that Prometheus answers at most."""

Key = int
Target = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of the interval that is recorded, (start, end] in ms; `last` is where the whole interval ends."""

    start: int
    end: int
    last: int
    interval: int

    @property
    def ahead(self) -> int:
        """Until when samples are read, to see whether a series goes on."""
        return self.end if self.end == self.last else self.end + 2 * self.interval

    @property
    def resolved(self) -> int:
        """Until when a series that ended in this piece could still be there."""
        return min(self.last, self.end + LOOKBACK_MS)


@dataclass(slots=True, kw_only=True)
class Gap:
    """A series without samples after `start`; it was still there at `seen` (ms)."""

    key: Key
    start: int
    seen: int
    scrapes: Sequence[int]
    mark: int | None = None
    decided: bool = False

    def look(self, when: int, newest: int | None) -> None:
        """Take what was there at `when`: the time of the series' newest sample, None where it was away."""
        if self.decided or when <= self.start:
            return
        if newest is None:
            self.mark = self._mark(when) if when - self.start < LOOKBACK_MS else None
        self.decided = newest is None or newest > self.start
        self.seen = when

    def _mark(self, when: int) -> int:
        """Return the target's first scrape since the series was last there, else the time of asking."""
        number = bisect.bisect_right(self.scrapes, self.seen)
        return self.scrapes[number] if number < len(self.scrapes) and self.scrapes[number] <= when else when


def marks(
    prom: Prometheus,
    selector: str,
    found: Sequence[Samples],
    piece: Piece,
    *,
    scrapes: Mapping[Target, Sequence[int]],
    most: int,
) -> dict[Key, list[int]]:
    """Return when (ms) the series of one metric ended whose last sample is in the piece, by series.

    Args:
        prom: what is asked.
        selector: that found them.
        found: their samples from the piece's start until `piece.ahead`.
        piece: the part of the interval.
        scrapes: when each target was scraped, ms.
        most: values that one answer may hold.

    Raises:
        MetricsError: Prometheus did not answer.
    """
    gaps = [gap for one in found for gap in _gaps(one, piece, scrapes.get(target(one.labels), ()))]
    if not gaps:
        return {}
    grid = _grid(min(gap.start for gap in gaps), piece)
    size = min(MOST_POINTS, max(1, most // len(found)))
    for first in range(0, len(grid), size):
        _decide(prom, selector, gaps, grid[first : first + size], piece.interval)
        if all(gap.decided for gap in gaps):
            break
    ended: dict[Key, list[int]] = {}
    for gap in gaps:
        if gap.mark is not None:
            ended.setdefault(gap.key, []).append(gap.mark)
    return ended


def key(labels: Mapping[str, str]) -> Key:
    """Return what tells the series of one metric apart."""
    return hash(frozenset(one for one in labels.items() if one[0] != "__name__"))


def target(labels: Mapping[str, str]) -> Target:
    """Return the target that a series is scraped from."""
    return labels.get("job", ""), labels.get("instance", "")


def stamps(one: Samples) -> list[int]:
    """Return the times of a series' samples in ms."""
    return [round(when * 1000) for when, _ in one.values]


def _gaps(one: Samples, piece: Piece, scrapes: Sequence[int]) -> Iterator[Gap]:
    times = stamps(one)
    starts = [earlier for earlier, later in pairwise(times) if later - earlier > GAP * piece.interval]
    for start in (*starts, *times[-1:]):
        if piece.start < start <= piece.end and start < piece.last:
            yield Gap(key=key(one.labels), start=start, seen=start, scrapes=scrapes)


def _grid(first: int, piece: Piece) -> list[int]:
    """Return the times of asking: back from where all is known in scrape intervals, all after `first`."""
    back = (piece.resolved - first - 1) // piece.interval
    return [piece.resolved - number * piece.interval for number in range(back, -1, -1)]


def _decide(prom: Prometheus, selector: str, gaps: Sequence[Gap], grid: Sequence[int], interval: int) -> None:
    answer = prom.query_range(f"timestamp({selector})", grid[0] / 1000, grid[-1] / 1000, interval / 1000)
    open_gaps = {gap.key for gap in gaps if not gap.decided}
    newest = {
        found: {round(when * 1000): round(value * 1000) for when, value in one.values}
        for one in answer.series
        if (found := key(one.labels)) in open_gaps
    }
    for gap in gaps:
        there = newest.get(gap.key, {})
        for when in grid:
            gap.look(when, there.get(when))
