"""A trend for programs: one JSON document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pytest_telescope.trend.model import Point
from pytest_telescope.trend.model import Trend

SCHEMA = 1


def document(trends: Sequence[Trend], *, notes: Sequence[str]) -> dict[str, Any]:
    """Return all trends with their values.

    Args:
        trends: the series.
        notes: what could not be read, and other remarks.
    """
    return {"schema": SCHEMA, "notes": list(notes), "series": [_series(one) for one in trends]}


def _series(trend: Trend) -> dict[str, Any]:
    series = trend.series
    return {
        "cell": series.cell,
        "metric": series.metric,
        "unit": series.unit,
        "better": series.better,
        "functional": series.functional,
        "state": trend.state,
        "said": trend.said,
        "p": trend.p,
        "detectable": trend.detectable,
        "tested": trend.tested,
        "gaps": trend.gaps,
        "breaks": [asdict(one) for one in trend.breaks],
        "changes": [asdict(one) for one in trend.changes],
        "levels": [asdict(one) for one in trend.levels],
        "points": [_point(one) for one in series.points],
    }


def _point(point: Point) -> dict[str, Any]:
    return {
        "run": point.run,
        "time": point.time,
        "value": point.value,
        "low": point.low,
        "high": point.high,
        "fingerprint": point.fingerprint,
        "gap": point.gap,
    }
