"""All cases."""

from __future__ import annotations

from tests.slo.corpus import absence
from tests.slo.corpus import births
from tests.slo.corpus import clean
from tests.slo.corpus import conditions
from tests.slo.corpus import counters
from tests.slo.corpus import coverage
from tests.slo.corpus import duplicates
from tests.slo.corpus import empty
from tests.slo.corpus import gauges
from tests.slo.corpus import intervals
from tests.slo.corpus import layouts
from tests.slo.corpus import oddities
from tests.slo.corpus import overflow
from tests.slo.corpus import parts
from tests.slo.corpus import refusals
from tests.slo.corpus import resets
from tests.slo.corpus import slices

CASES = (
    *clean.CASES,
    *overflow.CASES,
    *empty.CASES,
    *births.CASES,
    *resets.CASES,
    *coverage.CASES,
    *intervals.CASES,
    *layouts.CASES,
    *duplicates.CASES,
    *absence.CASES,
    *parts.CASES,
    *slices.CASES,
    *counters.CASES,
    *gauges.CASES,
    *conditions.CASES,
    *refusals.CASES,
    *oddities.CASES,
)
