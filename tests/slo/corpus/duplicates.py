"""Targets that are scraped twice, metrics that were renamed."""

from __future__ import annotations

from tests.slo.corpus.model import GOOD
from tests.slo.corpus.model import SLOW
from tests.slo.corpus.model import Case
from tests.slo.corpus.model import fails
from tests.slo.corpus.model import invalid
from tests.slo.corpus.model import passes
from tests.slo.corpus.writing import Burst
from tests.slo.corpus.writing import Job
from tests.slo.corpus.writing import fast
from tests.slo.corpus.writing import slow


def _ha_pair(job: Job) -> None:
    """One target, scraped by both Prometheus of a pair, which say who they are."""
    for replica in ("a", "b"):
        job.target(prometheus_replica=replica)
        job.histogram([fast(200)], prometheus_replica=replica)
        job.counter("retries_total", [(20, 4)], prometheus_replica=replica)
        job.series("queued", lambda _: 4.0, prometheus_replica=replica)


def _two_jobs(job: Job) -> None:
    """Two ServiceMonitors select one target."""
    for one in (job, job.also(f"{job.name}-again")):
        one.target()
        one.histogram([fast(200)], metric=f"{job.name.replace('-', '_')}_seconds")
        one.counter(f"{job.name.replace('-', '_')}_total", [(20, 4)])


def _renamed(job: Job, older: tuple[Burst, ...] | None, newer: tuple[Burst, ...] | None) -> None:
    job.target()
    for metric, bursts in (("older_seconds", older), ("newer_seconds", newer)):
        if bursts is not None:
            job.histogram(bursts, metric=metric)


def _upgraded_node(job: Job) -> None:
    """A rolling upgrade: n1 still has the older name, n2 the newer one."""
    job.target("i1")
    job.target("i2")
    job.histogram([fast(300)], metric="older_seconds", instance="i1", node="n1")
    job.histogram([slow(300)], metric="newer_seconds", instance="i2", node="n2")


_NAMES = "{histogram: [newer_seconds, older_seconds], p: 90, max: 1s"

CASES = (
    Case(
        name="ha-pair-histogram",
        pitfalls=("27",),
        slo="{histogram: work_duration_seconds, p: 99, max: 1s}",
        write=_ha_pair,
        truth=invalid("200 were observed, too few for a p99; summing the pair's makes them 400"),
    ),
    Case(
        name="ha-pair-counter",
        pitfalls=("27",),
        slo="{counter: retries_total, max: 5}",
        write=_ha_pair,
        truth=invalid("every series is there twice: a sum says 8 of 4"),
    ),
    Case(
        name="ha-pair-gauge",
        pitfalls=("27",),
        slo='{query: "sum(max_over_time(queued{JOB}[${w}]))", unit: count, min: 5}',
        plain="sum(queued{JOB})",
        write=_ha_pair,
        truth=invalid("every series is there twice: a sum says 8 of 4"),
    ),
    Case(
        name="two-jobs-histogram",
        pitfalls=("27",),
        slo="{histogram: two_jobs_histogram_seconds, job: null, p: 99, max: 1s}",
        write=_two_jobs,
        truth=invalid("200 were observed, too few for a p99; summing both jobs' makes them 400"),
    ),
    Case(
        name="two-jobs-counter",
        pitfalls=("27",),
        slo="{counter: two_jobs_counter_total, job: null, max: 5}",
        write=_two_jobs,
        truth=invalid("every series is there under two jobs: a sum says 8 of 4"),
    ),
    Case(
        name="two-jobs-one-asked",
        pitfalls=("27",),
        slo="{counter: two_jobs_one_asked_total, max: 5}",
        write=_two_jobs,
        truth=passes(4.0, "the job that is asked counted 4"),
    ),
    Case(
        name="renamed-older-only",
        pitfalls=("30",),
        slo=f"{_NAMES}}}",
        write=lambda job: _renamed(job, (fast(80), slow(20)), None),
        truth=fails(SLOW, "20 of 100 are 4 s, under the older name", count=100),
    ),
    Case(
        name="renamed-newer-only",
        pitfalls=("30",),
        slo=f"{_NAMES}}}",
        write=lambda job: _renamed(job, None, (fast(95), slow(5))),
        truth=passes(GOOD, "95 of 100 are 0.6 s, under the newer name", count=100),
    ),
    Case(
        name="renamed-newer-idle",
        pitfalls=("30",),
        slo=f"{_NAMES}}}",
        write=lambda job: _renamed(job, (fast(80), slow(20)), ()),
        truth=fails(SLOW, "20 of 100 are 4 s, under the older name; the newer one is there and idle", count=100),
    ),
    Case(
        name="renamed-node-by-node",
        pitfalls=("30",),
        slo=f"{_NAMES}, by: [node]}}",
        targets=2,
        write=_upgraded_node,
        truth=fails(SLOW, "all 300 of n2 are 4 s, under the newer name", count=600),
    ),
    Case(
        name="renamed-node-by-node-pooled",
        pitfalls=("30",),
        slo=f"{_NAMES}}}",
        targets=2,
        write=_upgraded_node,
        truth=fails(SLOW, "300 of 600 are 4 s, under two names", count=600),
    ),
    Case(
        name="renamed-both-count-the-same",
        pitfalls=("30",),
        slo=f"{_NAMES}}}",
        write=lambda job: _renamed(job, (fast(60),), (fast(60),)),
        truth=invalid("60 were observed, too few for a p90; both names show each of them"),
    ),
)
