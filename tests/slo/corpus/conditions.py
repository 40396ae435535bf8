"""Versions in which a metric lies, and steps of the load."""

from __future__ import annotations

import math

from pytest_telescope.slo.model import Verdict
from tests.slo.corpus.model import GOOD
from tests.slo.corpus.model import SLOW
from tests.slo.corpus.model import Case
from tests.slo.corpus.model import Truth
from tests.slo.corpus.model import fails
from tests.slo.corpus.model import invalid
from tests.slo.corpus.model import lasting
from tests.slo.corpus.model import passes
from tests.slo.corpus.writing import Job
from tests.slo.corpus.writing import fast
from tests.slo.corpus.writing import slow

_DEFAULT = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, math.inf)
_SANDBOX = """
    histogram: kubelet_run_podsandbox_duration_seconds
    p: 90
    max: 1s
    trust: {kubernetes: ">=1.36"}
"""
_OFTEN = "every sandbox took 4 s"


def _sandboxes(job: Job, value: float) -> None:
    """A hundred sandboxes of 4 s, as the kubelet reports them: before 1.36 always about 2 us."""
    job.target()
    job.histogram([(20, value, 100)], metric="kubelet_run_podsandbox_duration_seconds", before=0, edges=_DEFAULT)


def _waves(job: Job) -> None:
    """A slow wave and a fast one, each read by two scrapes before the next begins."""
    job.target()
    job.histogram([fast(200, at=20), slow(100, at=30), fast(300, at=120)])


def _queue_of_one(job: Job) -> None:
    job.target()
    job.series("queued", lambda _: 1.0)


def _evictions(job: Job) -> None:
    job.target()
    job.counter("evictions_total", [(30, 2), (120, 1)])


def _case(name: str, truth: Truth, during: str = "") -> Case:
    return Case(
        name=name,
        pitfalls=("during",),
        slo=f"{{histogram: work_duration_seconds, p: 90, max: 1s{f', during: {during}' if during else ''}}}",
        window=lasting(180, wave_1=(10, 60), wave_2=(90, 150)),
        write=_waves,
        truth=truth,
    )


CASES = (
    Case(
        name="version-known-before",
        pitfalls=("trust", "3.1"),
        slo=_SANDBOX,
        kubernetes="1.34",
        facts={"kubernetes_version": "v1.34.10"},
        write=lambda job: _sandboxes(job, 0.000002),
        truth=Truth(verdict=Verdict.SKIP, known=f"{_OFTEN}; the cell asks for 1.34, where the metric is always 2 us"),
    ),
    Case(
        name="version-known-from-the-recording",
        pitfalls=("trust", "3.1"),
        slo=_SANDBOX,
        facts={"kubernetes_version": "v1.34.10"},
        write=lambda job: _sandboxes(job, 0.000002),
        truth=invalid(f"{_OFTEN}; the cluster turned out to be 1.34.10, where the metric is always 2 us"),
    ),
    Case(
        name="version-trusted",
        pitfalls=("trust", "3.1"),
        slo=_SANDBOX,
        kubernetes="1.36",
        facts={"kubernetes_version": "v1.36.0"},
        write=lambda job: _sandboxes(job, 4.0),
        truth=fails((2.5, 5.0), _OFTEN, count=100),
    ),
    _case("step-slow", fails(SLOW, "100 of the 300 of the first wave are 4 s", count=300), "wave-1"),
    _case("step-fast", passes(GOOD, "all 300 of the second wave are 0.6 s", count=300), "wave-2"),
    _case("steps-together", fails(SLOW, "100 of 600 are 4 s", count=600)),
    _case("step-that-never-was", invalid("the load had no such step"), "wave-3"),
    Case(
        name="counter-in-a-step",
        pitfalls=("during", "11"),
        slo="{counter: evictions_total, max: 1, during: wave-2}",
        window=lasting(180, wave_1=(10, 60), wave_2=(90, 150)),
        write=_evictions,
        truth=passes(1.0, "one in the second wave; two in the first"),
    ),
    Case(
        name="warning-of-prometheus",
        pitfalls=("29",),
        slo='{query: "max(clamp_max(quantile(1.5, max_over_time(queued{JOB}[${w}])), 1))", unit: count, max: 5}',
        plain="max(clamp_max(quantile(1.5, queued{JOB}), 1))",
        write=_queue_of_one,
        truth=invalid("there is no 150th percentile; Prometheus warns"),
    ),
)
