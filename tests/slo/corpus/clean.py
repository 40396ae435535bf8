"""Histograms in which nothing is wrong, on the bound and off it by one observation."""

from __future__ import annotations

from tests.slo.corpus.model import GOOD
from tests.slo.corpus.model import QUICK
from tests.slo.corpus.model import SLOW
from tests.slo.corpus.model import Case
from tests.slo.corpus.model import Truth
from tests.slo.corpus.model import fails
from tests.slo.corpus.model import invalid
from tests.slo.corpus.model import passes
from tests.slo.corpus.writing import Job
from tests.slo.corpus.writing import fast
from tests.slo.corpus.writing import slow

_EVEN = [(5.0 + 0.4 * n, 0.6, 3) for n in range(99)]


def _share(name: str, p: float, good: int, bad: int, truth: Truth) -> Case:
    return Case(
        name=name,
        pitfalls=("clean",),
        slo=f"{{histogram: work_duration_seconds, p: {p:g}, max: 1s}}",
        write=lambda job: job.observed(fast(good), slow(bad)),
        truth=truth,
    )


def _exactly_on_the_bound(job: Job) -> None:
    job.observed((20, 1.0, 300))


def _just_above_the_bound(job: Job) -> None:
    job.observed((20, 1.001, 300))


def _spread_over_the_window(job: Job) -> None:
    job.observed(*_EVEN, slow(3, at=44))


def _fast_since_long(job: Job) -> None:
    job.target()
    job.histogram([slow(100)], before=100_000)


def _on_the_start(job: Job) -> None:
    """Slow observations before the window, in a scrape at the very moment at which it starts."""
    job.target()
    times = sorted({*job.scrapes, 0.0})
    job.histogram([slow(50, at=-0.5), fast(300)], scrapes=times)


CASES = (
    _share("p50-on", 50, 50, 50, passes(GOOD, "50 of 100 are 0.6 s, so the median is", count=100)),
    _share("p50-off-by-one", 50, 49, 51, fails(SLOW, "51 of 100 are 4 s", count=100)),
    _share("p90-on", 90, 90, 10, passes(GOOD, "90 of 100 are 0.6 s", count=100)),
    _share("p90-off-by-one", 90, 89, 11, fails(SLOW, "11 of 100 are 4 s", count=100)),
    _share("p95-on", 95, 361, 19, passes(GOOD, "361 of 380 are 0.6 s: 95 %", count=380)),
    _share("p99-on", 99, 297, 3, passes(GOOD, "297 of 300 are 0.6 s: 99 %", count=300)),
    _share("p99-on-awkward", 99, 693, 7, passes(GOOD, "693 of 700 are 0.6 s: 99 %", count=700)),
    _share("p99-off-by-one", 99, 296, 4, fails(SLOW, "4 of 300 are 4 s", count=300)),
    _share("p999-on", 99.9, 2997, 3, passes(GOOD, "2997 of 3000 are 0.6 s: 99.9 %", count=3000)),
    _share("p999-off-by-one", 99.9, 2996, 4, fails(SLOW, "4 of 3000 are 4 s", count=3000)),
    _share("one-too-few", 99, 299, 0, invalid("299 observations, the SLO needs 300 for a p99")),
    _share("forty", 99, 40, 0, invalid("40 observations: the worst of 100 may well not be among them")),
    Case(
        name="all-exactly-on-the-bound",
        pitfalls=("clean",),
        slo="{histogram: work_duration_seconds, max: p99 <= 1s}",
        write=_exactly_on_the_bound,
        truth=passes(GOOD, "all are 1.0 s, and a bucket holds what is equal to its bound", count=300),
    ),
    Case(
        name="all-just-above-the-bound",
        pitfalls=("2",),
        slo="{histogram: work_duration_seconds, max: p50 <= 1s}",
        write=_just_above_the_bound,
        truth=fails((1.0, 2.0), "all are 1.001 s", count=300),
    ),
    Case(
        name="bound-inside-a-bucket",
        pitfalls=("2",),
        slo="{histogram: work_duration_seconds, p: 50, max: 4s}",
        write=lambda job: job.observed((20, 4.9, 300)),
        truth=invalid("all are 4.9 s, but the samples say only 2 to 5 s: they do not decide 4 s"),
    ),
    Case(
        name="bound-beside-a-bucket",
        pitfalls=("2",),
        slo="{histogram: work_duration_seconds, p: 99, max: 1.004s}",
        write=lambda job: job.observed(fast(297), slow(3)),
        truth=passes(GOOD, "1.004 s is within half a percent of the bucket 1 s, and 99 % are 0.6 s", count=300),
    ),
    Case(
        name="spread-over-the-window",
        pitfalls=("clean",),
        slo="{histogram: work_duration_seconds, p: 99, max: 1s}",
        write=_spread_over_the_window,
        truth=passes(GOOD, "297 of 300 are 0.6 s, three every 0.4 s", count=300),
    ),
    Case(
        name="slow-before-the-window",
        pitfalls=("16",),
        slo="{histogram: work_duration_seconds, p: 99, max: 1s}",
        write=_on_the_start,
        truth=passes(GOOD, "the 50 of 4 s came before the window, and a scrape at its start has them", count=300),
    ),
    Case(
        name="fast-since-long-slow-now",
        pitfalls=("7",),
        slo="{histogram: work_duration_seconds, p: 90, max: 1s}",
        write=_fast_since_long,
        truth=fails(SLOW, "all 100 in the window are 4 s; 100,000 fast ones are older", count=100),
    ),
    Case(
        name="slow-since-long-fast-now",
        pitfalls=("7",),
        slo="{histogram: work_duration_seconds, p: 90, max: 1s}",
        write=lambda job: job.observed(slow(5000, at=-3000), fast(100)),
        truth=passes(GOOD, "all 100 in the window are 0.6 s; the 5000 slow ones are older", count=100),
    ),
    Case(
        name="all-in-the-first-bucket",
        pitfalls=("21",),
        slo="{histogram: work_duration_seconds, p: 99, max: 500ms}",
        write=lambda job: job.observed((20, 0.1, 300)),
        truth=passes(QUICK, "all are 0.1 s, and _sum grew by their 30 s: none is negative", count=300),
    ),
)
