"""A file of `telescope slo test`, as written (docs/slo-tests.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from typing import Any
from typing import Literal

from pydantic import Field

from pytest_telescope.scenario.model import Spec
from pytest_telescope.scenario.units import Duration


class Observed(Spec):
    """`count` observations of `value` (in base units), all at one time."""

    at: Duration
    value: float
    count: Annotated[int, Field(ge=1)] = 1


class HistogramOf(Spec):
    """The series of one histogram, made from its observations."""

    name: str
    """Base name, without `_bucket`."""
    labels: Mapping[str, str] = Field(default_factory=dict)
    buckets: tuple[float, ...]
    """Finite upper bounds in base units."""
    before: Annotated[int, Field(ge=0)] = 0
    """Observations in the lowest bucket that were there from the first scrape on."""
    born: Duration | None = None
    """Time of the first sample; the first scrape if left out."""
    observations: tuple[Observed, ...] = ()


class Expected(Spec):
    """What an SLO should say; what is left out may be anything."""

    verdict: Literal["PASS", "FAIL", "INVALID", "ERROR", "SKIP"]
    value: Any = None
    """With its unit, `4.2s`, compared to three digits; or a range, `[4s, 5s]`."""
    count: float | None = None
    says: str | None = None
    """Text that the message holds."""


class Trial(Spec):
    """One world of series, and what SLOs should say of it; times are since the first scrape."""

    description: str | None = None
    provider: Literal["local", "aks", "eks", "gke"] = "local"
    kubernetes: str | None = None
    """`major.minor` of the cluster."""
    interval: Duration = 5.0
    """Seconds between two scrapes."""
    window: tuple[Duration, Duration]
    steps: Mapping[str, tuple[Duration, Duration]] = Field(default_factory=dict)
    facts: Mapping[str, Any] = Field(default_factory=dict)
    targets: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Job -> instances that were up all the time; `up` and `process_start_time_seconds` of others are series."""
    series: Mapping[str, str] = Field(default_factory=dict)
    """`name{labels}` -> values, a scrape each."""
    histograms: tuple[HistogramOf, ...] = ()
    expect: Mapping[str, Expected]
