"""Questions that other tools ask and that miss what happened; ours are refused before anything is built."""

from __future__ import annotations

from tests.slo.corpus.model import SLOW
from tests.slo.corpus.model import Case
from tests.slo.corpus.model import Value
from tests.slo.corpus.model import refused
from tests.slo.corpus.writing import Job
from tests.slo.corpus.writing import fast
from tests.slo.corpus.writing import slow
from tests.slo.corpus.writing import spelt_short

_BUCKETS = "work_duration_seconds_bucket{JOB}"


def _slow_now(job: Job) -> None:
    """A hundred thousand fast ones are old; all hundred in the window are slow."""
    job.target()
    job.histogram([slow(100)], before=100_000)


def _slow_node(job: Job) -> None:
    """Of a thousand, all on one node, every tenth is slow; three nodes are nearly idle and fast."""
    job.target()
    job.histogram([fast(900), slow(100)], node="n1")
    for node in ("n2", "n3", "n4"):
        job.histogram([(20, 0.1, 10)], node=node)


def _spelt_short(job: Job) -> None:
    job.target()
    job.histogram([fast(100), slow(100)], metric="spelt_seconds", spell=spelt_short)


def _spikes(job: Job) -> None:
    job.target()
    job.series("queued", lambda now: 100.0 if now in {12.0, 32.0, 47.0} else 1.0)


def _short_pod(job: Job) -> None:
    """The only errors were in the first half minute."""
    job.target()
    job.counter("call_errors_total", [(5, 50)], before=3)


def _case(
    name: str, row: str, query: str, unit: str, bound: str, write: object, words: str, value: Value, known: str
) -> Case:
    return Case(
        name=name,
        pitfalls=(row,),
        slo=f"query: {query}\nunit: {unit}\n{bound}",
        plain=query,
        write=write,  # type: ignore[arg-type] # a case's shorthand
        truth=refused(words, value, known),
    )


CASES = (
    _case(
        "lifetime-quantile", "7",
        f"histogram_quantile(0.99, sum by (le) (avg_over_time({_BUCKETS}[${{w}}])))", "s", "max: 1s",
        _slow_now, "without rate or increase", SLOW, "all 100 in the window are 4 s",
    ),
    _case(
        "mean-of-quantiles", "6",
        f"avg(histogram_quantile(0.95, sum by (node, le) (rate({_BUCKETS}[${{w}}]))))", "s", "max: 2s",
        _slow_node, "over histogram_quantile", SLOW, "100 of 1030 are 4 s, of n1 every tenth",
    ),
    _case(
        "le-literal", "17",
        'sum(rate(spelt_seconds_count[${w}])) - sum(rate(spelt_seconds_bucket{le="1.0"}[${w}]))',
        "/s", "max: 1/s",
        _spelt_short, "spelt", 100 / 60, "100 in 60 s are above 1 s",
    ),
    _case(
        "comparison-inside", "3",
        "max(max_over_time(queued{JOB}[${w}])) < 50", "count", "max: 50",
        _spikes, "comparison", 100.0, "three scrapes saw 100",
    ),
    _case(
        "subquery-without-resolution", "15",
        "max_over_time(max(queued{JOB})[${w}:])", "count", "max: 50",
        _spikes, "without resolution", 100.0, "three scrapes saw 100",
    ),
    _case(
        "range-of-its-own", "12",
        "sum(increase(call_errors_total{JOB}[30s]))", "count", "max: 10",
        _short_pod, "literal range", 50.0, "50 errors in the window's first half minute",
    ),
)  # fmt: skip
