"""Records of many runs -> series."""

from __future__ import annotations

import calendar
import time
from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import lru_cache
from sys import intern

from pytest_telescope.report.record import Record
from pytest_telescope.trend.model import Better
from pytest_telescope.trend.model import Point
from pytest_telescope.trend.model import Series

UNSOUND = frozenset({"INVALID", "ERROR", "SKIP"})
"""Verdicts whose value, where there is one, rests on too little."""
NO_TIME = 0.0


@dataclass(slots=True)
class _Gathered:
    """The points of one series so far: records are not kept, for a history has hundreds of thousands."""

    newest: Record
    when: float
    points: list[Point] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    better: tuple[float, Better] | None = None

    def add(self, record: Record, when: float) -> None:
        if when >= self.when:
            self.newest, self.when = record, when
        if record.better and (self.better is None or when >= self.better[0]):
            self.better = when, record.better
        self.units.append(intern(record.unit))
        self.points.append(_point(when, record))


def gather(records: Iterable[Record], *, cells: str = "*", metrics: str = "*", since: float = 0.0) -> list[Series]:
    """Return the series of some records, by cell and metric; arms of comparisons are left out.

    Args:
        records: of any runs, in any order.
        cells: pattern of cell ids.
        metrics: pattern of metrics.
        since: unix seconds before which runs are left out.
    """
    cell_fits, metric_fits = _matcher(cells), _matcher(metrics)
    found: dict[tuple[str, str], _Gathered] = {}
    for record in records:
        if record.arm is None and cell_fits(record.cell) and metric_fits(record.metric):
            when = record.started if record.started is not None else time_of(record.run)
            if when >= since:
                key = record.cell, record.metric
                if key not in found:
                    found[key] = _Gathered(record, when)
                found[key].add(record, when)
    return [_series(found[key]) for key in sorted(found)]


def _matcher(pattern: str) -> Callable[[str], bool]:
    return lru_cache(maxsize=None)(lambda name: fnmatchcase(name, pattern))


def _series(found: _Gathered) -> Series:
    newest = found.newest
    points = found.points
    if len(set(found.units)) > 1:
        points = [
            one if unit == newest.unit else replace(one, value=None, gap=f"in {unit}")
            for one, unit in zip(points, found.units, strict=True)
        ]
    return Series(
        cell=newest.cell,
        metric=newest.metric,
        unit=newest.unit,
        better=found.better[1] if found.better else None,
        functional=newest.provider == "local" or bool(newest.functional),
        bound=newest.bound if newest.operator != "between" else None,
        points=tuple(sorted(points, key=lambda one: (one.time, one.run))),
    )


def _point(when: float, record: Record) -> Point:
    gap = _gap(record)
    fingerprint = intern(record.fingerprint) if record.fingerprint is not None else None
    return Point(intern(record.run), when, None if gap else record.value, record.low, record.high, fingerprint, gap)


def _gap(record: Record) -> str | None:
    """Return why a record has no number that a trend may use."""
    if record.verdict in UNSOUND:
        return record.verdict
    return "no value" if record.value is None else None


@lru_cache(maxsize=4096)
def time_of(run: str) -> float:
    """Return when a run began by its id, `<date>-<time>-<4 hex digits>` in UTC; 0 for any other id."""
    try:
        return float(calendar.timegm(time.strptime(run[:15], "%Y%m%d-%H%M%S")))
    except ValueError:
        return NO_TIME
