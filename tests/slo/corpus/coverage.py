"""Targets that are down, late, lost; scrapes that are missed; clocks that part."""

from __future__ import annotations

from tests.slo.corpus.model import GOOD
from tests.slo.corpus.model import Case
from tests.slo.corpus.model import fails
from tests.slo.corpus.model import invalid
from tests.slo.corpus.model import lasting
from tests.slo.corpus.model import passes
from tests.slo.corpus.writing import Job
from tests.slo.corpus.writing import fast
from tests.slo.corpus.writing import slow

_P99 = "{histogram: work_duration_seconds, p: 99, max: 1s}"
_MINUTES = lasting(600)


def _down(job: Job, start: float, end: float, *bursts: tuple[float, float, int], told: bool = True) -> None:
    """Scrapes fail from `start` to `end`; `told` by `up 0`, else there is nothing at all."""
    kept = [when for when in job.scrapes if not start <= when < end]
    up = (lambda now: 0.0 if start <= now < end else 1.0) if told else (lambda _: 1.0)
    job.target(up=up, scrapes=None if told else kept)
    job.histogram(bursts or (fast(300),), scrapes=kept)


def _lost_target(job: Job) -> None:
    job.target("i1")
    job.histogram([fast(300)], instance="i1")


def _down_all_along(job: Job) -> None:
    _lost_target(job)
    job.target("i2", up=lambda _: 0.0)


def _late_ingestion(job: Job) -> None:
    """Everything of the last half minute is still on its way."""
    kept = [when for when in job.scrapes if when < 30]
    job.target(scrapes=kept)
    job.histogram([fast(300)], scrapes=kept)


def _seen(job: Job) -> None:
    job.observed(fast(300))


CASES = (
    Case(
        name="down-at-the-start",
        pitfalls=("10", "13"),
        slo=_P99,
        write=lambda job: _down(job, -13, 5),
        truth=invalid("nothing says which of the target's observations are older than the window"),
    ),
    Case(
        name="down-at-the-start-marked",
        pitfalls=("10", "13"),
        slo=_P99,
        marked=True,
        write=lambda job: _down(job, -5, 5),
        truth=invalid("the last scrape before the window failed: what came until the next is before or in it"),
    ),
    Case(
        name="no-scrape-just-before-the-start",
        pitfalls=("10", "12"),
        slo="{histogram: work_duration_seconds, p: 90, max: 1s}",
        write=lambda job: _down(job, -4, 0, fast(300), slow(40, at=-5), told=False),
        truth=invalid("the last scrape is 8 s older than the window: the 40 of 4 s may be before or in it"),
    ),
    Case(
        name="down-in-the-middle",
        pitfalls=("12",),
        slo=_P99,
        write=lambda job: _down(job, 20, 40),
        truth=invalid("4 of 12 scrapes failed, more than 5 %"),
    ),
    Case(
        name="down-in-the-middle-untold",
        pitfalls=("12",),
        slo=_P99,
        write=lambda job: _down(job, 20, 40, told=False),
        truth=invalid("4 of 12 scrapes are missing, more than 5 %"),
    ),
    Case(
        name="down-at-the-end",
        pitfalls=("12", "13"),
        slo=_P99,
        write=lambda job: _down(job, 45, 70, fast(300), slow(30, at=50)),
        truth=invalid("whatever was observed in the last 15 s is in no sample"),
    ),
    Case(
        name="down-at-the-end-marked",
        pitfalls=("12", "13"),
        slo=_P99,
        marked=True,
        write=lambda job: _down(job, 45, 70, fast(300), slow(30, at=50)),
        truth=invalid("whatever was observed in the last 15 s is in no sample"),
    ),
    Case(
        name="one-scrape-of-120-missed",
        pitfalls=("12",),
        slo=_P99,
        window=_MINUTES,
        write=lambda job: _down(job, 300, 304),
        truth=passes(GOOD, "counters lose nothing by one scrape in the middle", count=300),
    ),
    Case(
        name="one-scrape-of-120-missed-marked",
        pitfalls=("12",),
        slo=_P99,
        window=_MINUTES,
        marked=True,
        write=lambda job: _down(job, 300, 304, fast(280), slow(20, at=400)),
        truth=fails((2.0, 5.0), "20 of 300 are 4 s; one scrape in the middle was missed", count=300),
    ),
    Case(
        name="seven-scrapes-of-120-missed",
        pitfalls=("12",),
        slo=_P99,
        window=_MINUTES,
        write=lambda job: _down(job, 300, 335),
        truth=invalid("7 of 120 scrapes failed, more than 5 %"),
    ),
    Case(
        name="both-last-scrapes-missed",
        pitfalls=("12", "26"),
        slo=_P99,
        window=_MINUTES,
        write=lambda job: _down(job, 590, 600, fast(300), slow(30, at=589)),
        truth=invalid("2 of 120 scrapes failed, but they are the two that see the last of the load"),
    ),
    Case(
        name="last-scrape-missed",
        pitfalls=("12", "26"),
        slo=_P99,
        window=_MINUTES,
        write=lambda job: _down(job, 595, 600),
        truth=passes(GOOD, "the scrape before the last one saw all 300 of 0.6 s", count=300),
    ),
    Case(
        name="target-lost",
        pitfalls=("4",),
        slo=_P99,
        targets=2,
        write=_lost_target,
        truth=invalid("the cluster has two targets, one was scraped"),
    ),
    Case(
        name="target-down-all-along",
        pitfalls=("4",),
        slo=_P99,
        targets=2,
        write=_down_all_along,
        truth=invalid("one of two targets was down all the time"),
    ),
    Case(
        name="late-ingestion",
        pitfalls=("26",),
        slo=_P99,
        write=_late_ingestion,
        truth=invalid("the samples end 30 s before the window"),
    ),
    Case(
        name="clocks-part",
        pitfalls=("25",),
        slo=_P99,
        drift=1.5,
        write=_seen,
        truth=invalid("two clocks parted by 1.5 s: the window means nothing"),
    ),
    Case(
        name="clocks-nearly-agree",
        pitfalls=("25",),
        slo=_P99,
        drift=0.4,
        write=_seen,
        truth=passes(GOOD, "all 300 are 0.6 s; 0.4 s are less than a scrape", count=300),
    ),
)
