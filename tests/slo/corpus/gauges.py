"""Gauges: what happens between two looks."""

from __future__ import annotations

from tests.slo.corpus.model import Case
from tests.slo.corpus.model import fails
from tests.slo.corpus.model import invalid
from tests.slo.corpus.model import lasting
from tests.slo.corpus.model import passes
from tests.slo.corpus.writing import Job


def _spikes(job: Job, *at: float) -> None:
    """A queue of 1, at one scrape each of 100."""
    job.target()
    job.series("queued", lambda now: 100.0 if now in at else 1.0)


def _two_queues(job: Job) -> None:
    job.target()
    job.series("queued", lambda _: 3.0, queue="a")
    job.series("queued", lambda _: 4.0, queue="b")


_MOST = '{query: "max(max_over_time(queued{JOB}[${w}]))", unit: count, max: 50}'

CASES = (
    Case(
        name="spike-between-looks",
        pitfalls=("15",),
        slo=_MOST,
        plain="max(queued{JOB})",
        write=lambda job: _spikes(job, 27.0),
        truth=fails(100.0, "one scrape saw 100"),
    ),
    Case(
        name="spikes-between-minutes",
        pitfalls=("15",),
        slo='{query: "max_over_time(max(queued{JOB})[${w}:${scrape}])", unit: count, max: 50}',
        plain="max_over_time(max(queued{JOB})[${w}:1m])",
        window=lasting(600),
        write=lambda job: _spikes(job, 92.0, 212.0, 392.0),
        truth=fails(100.0, "three scrapes saw 100, none of them on a full minute"),
    ),
    Case(
        name="spike-at-the-end",
        pitfalls=("15",),
        slo=_MOST,
        plain="max(queued{JOB})",
        write=lambda job: _spikes(job, 57.0),
        truth=fails(100.0, "the last scrape saw 100"),
    ),
    Case(
        name="spike-before-the-window",
        pitfalls=("16",),
        slo=_MOST,
        plain="max(queued{JOB})",
        write=lambda job: _spikes(job, -3.0),
        truth=passes(1.0, "the scrape that saw 100 was 3 s before the window"),
    ),
    Case(
        name="queues-that-nobody-names",
        pitfalls=("24",),
        slo='{query: "max_over_time(queued{JOB}[${w}])", by: [instance, job], unit: count, max: 50}',
        plain="queued{JOB}",
        write=_two_queues,
        truth=invalid("two queues answer, and by names neither"),
    ),
)
