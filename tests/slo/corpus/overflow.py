"""Observations beyond the last finite bucket, and observations below zero."""

from __future__ import annotations

from tests.slo.corpus.model import BEYOND
from tests.slo.corpus.model import GOOD
from tests.slo.corpus.model import Case
from tests.slo.corpus.model import fails
from tests.slo.corpus.model import invalid
from tests.slo.corpus.model import passes
from tests.slo.corpus.writing import Job
from tests.slo.corpus.writing import fast

_TO_TEN = "{histogram: work_duration_seconds, p: 99, max: 10s}"


def _all_slow(job: Job) -> None:
    job.observed((20, 40.0, 300))


def _per_node(job: Job) -> None:
    job.target()
    job.histogram([fast(300)], node="n1")
    job.histogram([fast(295), (20, 40.0, 5)], node="n2")


CASES = (
    Case(
        name="all-in-inf",
        pitfalls=("1",),
        slo=_TO_TEN,
        write=_all_slow,
        truth=fails(BEYOND, "all 300 are 40 s", count=300),
    ),
    Case(
        name="bound-beyond-the-last-bucket",
        pitfalls=("1",),
        slo="{histogram: work_duration_seconds, p: 99, max: 30s}",
        write=_all_slow,
        truth=invalid("all are 40 s, but the samples say only more than 10 s: they do not decide 30 s"),
    ),
    Case(
        name="one-percent-in-inf",
        pitfalls=("1",),
        slo=_TO_TEN,
        write=lambda job: job.observed(fast(297), (20, 40.0, 3)),
        truth=passes(GOOD, "297 of 300 are 0.6 s", count=300),
    ),
    Case(
        name="one-percent-and-one-in-inf",
        pitfalls=("1",),
        slo=_TO_TEN,
        write=lambda job: job.observed(fast(296), (20, 40.0, 4)),
        truth=fails(BEYOND, "4 of 300 are 40 s", count=300),
    ),
    Case(
        name="one-node-in-inf",
        pitfalls=("1",),
        slo="{histogram: work_duration_seconds, by: [node], p: 99, max: 10s}",
        write=_per_node,
        truth=fails(BEYOND, "5 of 300 of n2 are 40 s", count=600),
    ),
    Case(
        name="negative-observations",
        pitfalls=("21",),
        slo="{histogram: work_duration_seconds, p: 99, max: 1s}",
        write=lambda job: job.observed(fast(300), (30, -3.0, 100)),
        truth=invalid("100 durations of -3 s: _sum falls while _count grows, so a clock was wrong"),
    ),
)
