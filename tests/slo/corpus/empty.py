"""Nothing was observed, nothing was recorded, or what was is no number."""

from __future__ import annotations

import math

from pytest_telescope.slo.model import Verdict
from tests.slo.corpus.model import GOOD
from tests.slo.corpus.model import Case
from tests.slo.corpus.model import Truth
from tests.slo.corpus.model import invalid
from tests.slo.corpus.model import passes
from tests.slo.corpus.writing import Job
from tests.slo.corpus.writing import fast

_P99 = "{histogram: work_duration_seconds, p: 99, max: 1s}"
_BY_NODE = "{histogram: work_duration_seconds, by: [node], p: 99, max: 1s"


def _target_only(job: Job) -> None:
    job.target()


def _idle(job: Job) -> None:
    job.observed()


def _one_idle_node(job: Job) -> None:
    job.target()
    job.histogram([fast(300)], node="n1")
    job.histogram([], node="n2")


def _nan_and_number(job: Job) -> None:
    job.target()
    job.series("depth", lambda _: math.nan, queue="a")
    job.series("depth", lambda _: 1.0, queue="b")


def _never(job: Job) -> None:
    job.target()
    job.series("free_ratio", lambda _: math.inf)


def _idle_calls(job: Job) -> None:
    job.target()
    job.counter("calls_total", [])
    job.counter("call_errors_total", [], before=3)


def _joined_twice(job: Job) -> None:
    """A join on a label that two series share."""
    job.target()
    for side in ("a", "b"):
        job.series("used", lambda _: 1.0, side=side)
        job.series("limit", lambda _: 2.0, side=side)


CASES = (
    Case(name="idle", pitfalls=("3",), slo=_P99, write=_idle, truth=invalid("nothing was observed in the window")),
    Case(
        name="never-recorded",
        pitfalls=("4",),
        slo="{histogram: never_recorded_seconds, p: 99, max: 1s}",
        write=_target_only,
        truth=invalid("there is no such metric"),
    ),
    Case(
        name="matches-nothing",
        pitfalls=("4",),
        slo="{histogram: work_duration_seconds, where: 'verb=\"PSOT\"', p: 99, max: 1s}",
        write=lambda job: job.observed(fast(300)),
        truth=invalid("no series has that verb"),
    ),
    Case(
        name="idle-node-unexpected",
        pitfalls=("3",),
        slo=f"{_BY_NODE}}}",
        write=_one_idle_node,
        truth=passes(GOOD, "all 300 of n1 are 0.6 s; nobody says that n2 should have any", count=300),
    ),
    Case(
        name="idle-node-expected",
        pitfalls=("3", "4"),
        slo=f'{_BY_NODE}, expect: {{node: "${{nodes}}"}}}}',
        facts={"nodes": ["n1", "n2"]},
        write=_one_idle_node,
        truth=invalid("n2, which is expected, observed nothing"),
    ),
    Case(
        name="gauge-is-nan",
        pitfalls=("3",),
        slo='{query: "max by (queue) (max_over_time(depth{JOB}[${w}]))", by: [queue], unit: count, max: 5}',
        plain="max by (queue) (depth{JOB})",
        write=_nan_and_number,
        truth=invalid("queue a says NaN"),
    ),
    Case(
        name="nan-poisons-the-mean",
        pitfalls=("5",),
        slo='{query: "avg(avg_over_time(depth{JOB}[${w}]))", unit: count, max: 5}',
        plain="avg(depth{JOB})",
        write=_nan_and_number,
        truth=invalid("one of two is NaN, so the mean is"),
    ),
    Case(
        name="infinite-with-a-minimum",
        pitfalls=("3",),
        slo='{query: "min(min_over_time(free_ratio{JOB}[${w}]))", unit: ratio, min: 10%}',
        plain="min(free_ratio{JOB})",
        write=_never,
        truth=invalid("+Inf is what a division by zero left"),
    ),
    Case(
        name="empty-answer",
        pitfalls=("4",),
        slo='{query: "max(max_over_time(never_recorded_depth[${w}]))", unit: count, max: 5}',
        plain="max(never_recorded_depth)",
        write=_target_only,
        truth=invalid("there is no such metric"),
    ),
    Case(
        name="nothing-of-nothing",
        pitfalls=("3",),
        slo="{bad: call_errors_total, total: calls_total, max: 1%}",
        write=_idle_calls,
        truth=invalid("0 of 0 calls failed"),
    ),
    Case(
        name="many-to-many",
        pitfalls=("24",),
        slo="""
            query: max(max_over_time(used{JOB}[${w}]) / on (job) max_over_time(limit{JOB}[${w}]))
            unit: ratio
            max: 90%
        """,
        plain="max(used{JOB} / on (job) limit{JOB})",
        write=_joined_twice,
        truth=Truth(verdict=Verdict.ERROR, known="a join on job has two partners on each side: no question at all"),
    ),
)
