"""Elements that are judged one by one: thin ones, missing ones, outvoted ones, hidden ones."""

from __future__ import annotations

from tests.slo.corpus.model import GOOD
from tests.slo.corpus.model import SLOW
from tests.slo.corpus.model import Case
from tests.slo.corpus.model import Truth
from tests.slo.corpus.model import fails
from tests.slo.corpus.model import invalid
from tests.slo.corpus.model import passes
from tests.slo.corpus.writing import Burst
from tests.slo.corpus.writing import Job
from tests.slo.corpus.writing import fast
from tests.slo.corpus.writing import slow

_BY_VERB = "{histogram: work_duration_seconds, by: [verb], p: 99, max: 1s"


def _verbs(job: Job, **bursts: list[Burst]) -> None:
    job.target()
    for verb, seen in bursts.items():
        job.histogram(seen, verb=verb)


def _nodes(job: Job, good: int, bad: int, silent: int = 0) -> None:
    """Nodes with a pressure of 0.1 or of 0.9, one target; of the silent ones the gauge is NaN."""
    job.target()
    for number in range(good + bad + silent):
        value = 0.1 if number < good else 0.9 if number < good + bad else float("nan")
        job.series("pressure_ratio", lambda _, value=value: value, node=f"n{number}")  # type: ignore[misc] # bound early


def _quorum(name: str, nodes: tuple[int, int, int], quorum: str, truth: Truth) -> Case:
    return Case(
        name=name,
        pitfalls=("quorum",),
        slo=f"""
            query: max by (node) (max_over_time(pressure_ratio{{JOB}}[${{w}}]))
            by: [node]
            unit: ratio
            max: 20%
            quorum: {quorum}
        """,
        plain="max by (node) (pressure_ratio{JOB})",
        write=lambda job: _nodes(job, *nodes),
        truth=truth,
    )


def _two_nodes(job: Job) -> None:
    """The reference's pair: a slow node with few observations, a fast one with many."""
    job.target()
    job.histogram([slow(10)], node="n1")
    job.histogram([fast(1000)], node="n2")


def _shifted(job: Job) -> None:
    """Five times as many health probes as pods; the pods are slow."""
    job.target()
    job.histogram([(20, 0.1, 100_000)], resource="healthz")
    job.histogram([fast(270), slow(30)], resource="pods")


CASES = (
    Case(
        name="sparse-merge",
        pitfalls=("28",),
        slo=f"{_BY_VERB}, sparse: merge}}",
        write=lambda job: _verbs(job, GET=[fast(400)], PUT=[fast(200)], POST=[fast(150)]),
        truth=passes(GOOD, "all 400 GET are 0.6 s, and all 350 of the two thin ones together", count=750),
    ),
    Case(
        name="sparse-merge-slow",
        pitfalls=("28",),
        slo=f"{_BY_VERB}, sparse: merge}}",
        write=lambda job: _verbs(job, GET=[fast(4000)], PUT=[fast(200)], POST=[fast(110), slow(40)]),
        truth=fails(
            SLOW, "40 of the 350 of the two thin ones are 4 s; among all 4350 they would be under 1 %", count=4350
        ),
    ),
    Case(
        name="sparse-merge-with-all",
        pitfalls=("28",),
        slo=f"{_BY_VERB}, sparse: merge}}",
        write=lambda job: _verbs(job, GET=[fast(400)], PUT=[fast(30)], POST=[fast(20)]),
        truth=passes(GOOD, "all 450 are 0.6 s; 50 alone are too few", count=450),
    ),
    Case(
        name="sparse-merge-too-few-of-all",
        pitfalls=("28",),
        slo=f"{_BY_VERB}, sparse: merge}}",
        write=lambda job: _verbs(job, PUT=[fast(30)], POST=[fast(20)]),
        truth=invalid("50 of all verbs together are too few for a p99"),
    ),
    Case(
        name="sparse-skip",
        pitfalls=("28",),
        slo=f"{_BY_VERB}, sparse: skip}}",
        write=lambda job: _verbs(job, GET=[fast(400)], PUT=[slow(30)]),
        truth=passes(GOOD, "all 400 GET are 0.6 s; the SLO says that 30 PUT do not count", count=430),
    ),
    Case(
        name="sparse-unsaid",
        pitfalls=("28",),
        slo=f"{_BY_VERB}}}",
        write=lambda job: _verbs(job, GET=[fast(400)], PUT=[fast(30)]),
        truth=invalid("30 PUT are too few for a p99"),
    ),
    Case(
        name="expected-nodes-seen",
        pitfalls=("4",),
        slo="{histogram: work_duration_seconds, by: [verb], p: 90, max: 1s, expect: {verb: [GET, PUT]}}",
        write=lambda job: _verbs(job, GET=[fast(300)], PUT=[fast(300)]),
        truth=passes(GOOD, "all 300 of each are 0.6 s", count=600),
    ),
    Case(
        name="expected-node-missing",
        pitfalls=("4",),
        slo="{histogram: work_duration_seconds, by: [verb], p: 90, max: 1s, expect: {verb: [GET, PUT]}}",
        write=lambda job: _verbs(job, GET=[fast(300)]),
        truth=invalid("PUT, which is expected, is not there"),
    ),
    Case(
        name="expected-nodes-unknown",
        pitfalls=("4",),
        slo='{histogram: work_duration_seconds, by: [node], p: 90, max: 1s, expect: {node: "${nodes}"}}',
        write=_two_nodes,
        truth=invalid("nobody says which nodes the cluster has"),
    ),
    _quorum("quorum-just-kept", (99, 1, 0), "99%", passes(None, "1 of 100 is above 20 %: 99 % are not")),
    _quorum("quorum-just-missed", (98, 2, 0), "99%", fails(0.9, "2 of 100 are above 20 %")),
    _quorum("quorum-of-ten", (9, 1, 0), "99%", fails(0.9, "1 of 10 is above 20 %: 90 % are not")),
    _quorum("quorum-half", (5, 5, 0), "50%", passes(None, "5 of 10 are above 20 %: 50 % are not")),
    _quorum("quorum-outvotes-no-silence", (99, 0, 1), "99%", invalid("one of 100 says NaN, which nobody outvotes")),
    _quorum("quorum-of-all", (100, 0, 0), "100%", passes(0.1, "all 100 say 10 %")),
    Case(
        name="few-slow-among-many-fast",
        pitfalls=("6",),
        slo="{histogram: work_duration_seconds, p: 99, max: 1s}",
        write=_two_nodes,
        truth=passes(GOOD, "10 of 1010 are 4 s, under 1 %; the mean of both nodes' p99 would be 2.9 s", count=1010),
    ),
    Case(
        name="shifted-population-by-resource",
        pitfalls=("22",),
        slo="{histogram: work_duration_seconds, by: [resource], p: 99, max: 1s}",
        write=_shifted,
        truth=fails(SLOW, "30 of 300 pods are 4 s", count=100_300),
    ),
    Case(
        name="shifted-population-pooled",
        pitfalls=("22",),
        slo="{histogram: work_duration_seconds, p: 99, max: 1s}",
        write=_shifted,
        truth=passes((0.0, 0.5), "30 of 100,300 are 4 s: it is what was asked", count=100_300),
    ),
)
