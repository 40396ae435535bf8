"""Series that begin or end inside the window."""

from __future__ import annotations

from tests.slo.corpus.model import GOOD
from tests.slo.corpus.model import SLOW
from tests.slo.corpus.model import Case
from tests.slo.corpus.model import fails
from tests.slo.corpus.model import invalid
from tests.slo.corpus.model import lasting
from tests.slo.corpus.model import passes
from tests.slo.corpus.model import refused
from tests.slo.corpus.writing import Job
from tests.slo.corpus.writing import fast
from tests.slo.corpus.writing import slow

_P99 = "{histogram: work_duration_seconds, p: 99, max: 1s}"
_P90 = "{histogram: work_duration_seconds, p: 90, max: 1s}"


def _born(job: Job, *bursts: tuple[float, float, int]) -> None:
    job.target()
    job.histogram(bursts, before=0, born=20)


def _verb_born_slow(job: Job) -> None:
    job.target()
    job.histogram([fast(500)], verb="GET")
    job.histogram([slow(300)], before=0, born=20, verb="POST")


def _started(job: Job, process: float) -> None:
    late = [when for when in job.scrapes if when > 10]
    job.target(scrapes=late, started=lambda _: process)
    job.histogram([fast(300, at=25)], before=0, scrapes=late)


def _gone(job: Job) -> None:
    job.target()
    job.histogram([fast(280), slow(20)], dies=30)


def _one_scrape(job: Job) -> None:
    """A pod that was slow 100 times and was scraped once."""
    job.target()
    job.histogram([fast(300)], pod="stays")
    job.histogram([slow(100, at=24)], before=0, born=25, dies=29, pod="short")


def _memory_of_a_pod(job: Job, dies: float) -> None:
    job.target()
    job.series("memory_bytes", lambda _: 1e9, pod="stays")
    job.series("memory_bytes", lambda now: 9e9 if now <= dies else None, pod="gone")


def _counted_pod(job: Job) -> None:
    job.target()
    job.counter("pod_events_total", [(4.0 + 5 * n, 10) for n in range(4)], before=20, dies=22, pod="gone")
    job.counter("pod_events_total", [], before=7, pod="stays")


_MEMORY = '{query: "max by (pod) (max_over_time(memory_bytes{JOB}[${w}]))", by: [pod], unit: B, max: 2GB}'
_PODS = "{counter: pod_events_total, max: 40}"

CASES = (
    Case(
        name="born-slow",
        pitfalls=("10",),
        slo=_P90,
        write=lambda job: _born(job, fast(300), slow(100)),
        truth=fails(SLOW, "a new series starts at its 400 observations, 100 of them of 4 s", count=400),
    ),
    Case(
        name="born-fast",
        pitfalls=("10",),
        slo=_P99,
        write=lambda job: _born(job, fast(400)),
        truth=passes(GOOD, "a new series starts at its 400 observations of 0.6 s", count=400),
    ),
    Case(
        name="verb-born-slow",
        pitfalls=("10",),
        slo="{histogram: work_duration_seconds, by: [verb], p: 99, max: 1s}",
        write=_verb_born_slow,
        truth=fails(SLOW, "all 300 POST are 4 s; the first of them made the series", count=800),
    ),
    Case(
        name="target-started-in-the-window",
        pitfalls=("10",),
        slo=_P99,
        write=lambda job: _started(job, 8),
        truth=passes(GOOD, "its process started 8 s into the window, so that all its 300 are in it", count=300),
    ),
    Case(
        name="target-found-in-the-window",
        pitfalls=("10",),
        slo=_P99,
        write=lambda job: _started(job, -3600),
        truth=invalid("its process is an hour old: which of its 300 are in the window nobody knows"),
    ),
    Case(
        name="series-ends-unmarked",
        pitfalls=("13",),
        slo=_P90,
        write=_gone,
        truth=passes(GOOD, "280 of 300 are 0.6 s; that the series ended later takes nothing back", count=300),
    ),
    Case(
        name="series-ends-marked",
        pitfalls=("13",),
        slo=_P90,
        marked=True,
        write=_gone,
        truth=passes(GOOD, "280 of 300 are 0.6 s; that the series ended later takes nothing back", count=300),
    ),
    Case(
        name="slow-pod-of-one-scrape",
        pitfalls=("10", "14"),
        slo=_P90,
        write=_one_scrape,
        truth=fails(SLOW, "100 of 400 are 4 s, all of a pod that one scrape saw", count=400),
    ),
    Case(
        name="slow-pod-of-one-scrape-marked",
        pitfalls=("10", "13", "14"),
        slo=_P90,
        marked=True,
        write=_one_scrape,
        truth=fails(SLOW, "100 of 400 are 4 s, all of a pod that one scrape saw", count=400),
    ),
    Case(
        name="gauge-of-a-deleted-pod",
        pitfalls=("13",),
        slo=_MEMORY,
        plain="max by (pod) (memory_bytes{JOB})",
        marked=True,
        write=lambda job: _memory_of_a_pod(job, 30),
        truth=fails(9e9, "the pod that is gone used 9 GB in the window"),
    ),
    Case(
        name="gauge-of-a-long-deleted-pod",
        pitfalls=("13",),
        slo=_MEMORY,
        plain="max by (pod) (memory_bytes{JOB})",
        window=lasting(600),
        write=lambda job: _memory_of_a_pod(job, 200),
        truth=fails(9e9, "the pod that is gone used 9 GB in the window"),
    ),
    Case(
        name="bare-gauge-of-a-deleted-pod",
        pitfalls=("13",),
        slo='{query: "max(memory_bytes{JOB})", unit: B, max: 2GB}',
        plain="max(memory_bytes{JOB})",
        marked=True,
        write=lambda job: _memory_of_a_pod(job, 30),
        truth=refused("at the end of the window alone", 9e9, "the pod that is gone used 9 GB in the window"),
    ),
    Case(
        name="counter-of-a-deleted-pod",
        pitfalls=("11", "13"),
        slo=_PODS,
        write=_counted_pod,
        truth=passes(40.0, "ten at 4, 9, 14 and 19 s, then the pod was deleted"),
    ),
    Case(
        name="counter-of-a-deleted-pod-marked",
        pitfalls=("11", "13"),
        slo=_PODS,
        marked=True,
        write=_counted_pod,
        truth=passes(40.0, "ten at 4, 9, 14 and 19 s, then the pod was deleted"),
    ),
)
