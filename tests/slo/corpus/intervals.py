"""Windows that are short for the scrapes, and scrapes that are far apart."""

from __future__ import annotations

from tests.slo.corpus.model import GOOD
from tests.slo.corpus.model import SLOW
from tests.slo.corpus.model import Case
from tests.slo.corpus.model import fails
from tests.slo.corpus.model import invalid
from tests.slo.corpus.model import lasting
from tests.slo.corpus.model import passes
from tests.slo.corpus.writing import Job
from tests.slo.corpus.writing import fast
from tests.slo.corpus.writing import slow

_P99 = "{histogram: work_duration_seconds, p: 99, max: 1s}"
_RATE = '{query: "sum(rate(calls_total{JOB}[${w}]))", unit: /s, max: 8/s}'


def _ten_a_second(job: Job) -> None:
    job.target()
    job.series("calls_total", lambda now: 5000 + 10 * now)


def _with_two_missed(job: Job) -> None:
    kept = [when for when in job.scrapes if when not in {27.0, 57.0}]
    job.target(up=lambda now: 1.0 if now in kept else 0.0)
    job.series("calls_total", lambda now: 5000 + 10 * now, scrapes=kept)


CASES = (
    Case(
        name="thirty-second-scrapes",
        pitfalls=("12",),
        slo=_P99,
        window=lasting(600),
        interval=30,
        write=lambda job: job.observed(fast(297, at=100), slow(3, at=300)),
        truth=passes(GOOD, "297 of 300 are 0.6 s", count=300),
    ),
    Case(
        name="thirty-second-scrapes-slow",
        pitfalls=("12",),
        slo=_P99,
        window=lasting(600),
        interval=30,
        write=lambda job: job.observed(fast(296, at=100), slow(4, at=300)),
        truth=fails(SLOW, "4 of 300 are 4 s", count=300),
    ),
    Case(
        name="two-scrapes-in-the-window",
        pitfalls=("12",),
        slo="{histogram: work_duration_seconds, p: 90, max: 1s}",
        window=lasting(60),
        interval=30,
        write=lambda job: job.observed(fast(270, at=10), slow(40, at=10)),
        truth=fails(SLOW, "40 of 310 are 4 s by the scrapes at -3, 27 and 57 s", count=310),
    ),
    Case(
        name="one-scrape-in-the-window",
        pitfalls=("12",),
        slo="{histogram: work_duration_seconds, p: 90, max: 1s}",
        window=lasting(45),
        interval=30,
        write=lambda job: job.observed(fast(270, at=10), slow(40, at=10)),
        truth=fails(SLOW, "40 of 310 are 4 s by the scrapes at -3 and 27 s: whatever follows, more is slow"),
    ),
    Case(
        name="rate-over-two-scrapes",
        pitfalls=("12",),
        slo=_RATE,
        plain="sum(rate(calls_total{JOB}[${w}]))",
        window=lasting(60),
        interval=30,
        write=_ten_a_second,
        truth=invalid("a rate over less than four scrapes is a guess"),
    ),
    Case(
        name="rate-over-one-scrape",
        pitfalls=("12",),
        slo=_RATE,
        plain="sum(rate(calls_total{JOB}[${w}]))",
        window=lasting(30),
        interval=30,
        write=_ten_a_second,
        truth=invalid("a rate over one scrape is none"),
    ),
    Case(
        name="rate-with-scrapes-missed",
        pitfalls=("12",),
        slo=_RATE,
        plain="sum(rate(calls_total{JOB}[${w}]))",
        window=lasting(120),
        interval=30,
        write=_with_two_missed,
        truth=invalid("two of four scrapes failed"),
    ),
    Case(
        name="rate-over-many-scrapes",
        pitfalls=("clean",),
        slo='{query: "sum(rate(calls_total{JOB}[${w}]))", unit: /s, max: 10.5/s}',
        plain="sum(rate(calls_total{JOB}[${w}]))",
        write=_ten_a_second,
        truth=passes(10.0, "ten calls a second, all the time"),
    ),
    Case(
        name="rate-over-many-scrapes-too-high",
        pitfalls=("clean",),
        slo=_RATE,
        plain="sum(rate(calls_total{JOB}[${w}]))",
        write=_ten_a_second,
        truth=fails(10.0, "ten calls a second, all the time"),
    ),
)
