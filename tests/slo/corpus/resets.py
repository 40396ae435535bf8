"""Counters that start again, processes that restart, replicas that answer in turn."""

from __future__ import annotations

from tests.slo.corpus.model import GOOD
from tests.slo.corpus.model import Case
from tests.slo.corpus.model import invalid
from tests.slo.corpus.model import passes
from tests.slo.corpus.writing import HOUR_AGO
from tests.slo.corpus.writing import At
from tests.slo.corpus.writing import Job
from tests.slo.corpus.writing import fast
from tests.slo.world import EDGES

_P99 = "{histogram: work_duration_seconds, p: 99, max: 1s}"
_LOST = "what was observed between the last scrape and the crash is in no sample"


def _restarts(job: Job, *moments: float, told: bool = True, base: float = 900) -> None:
    """Twenty observations of 0.6 s a second; at each moment the process starts again from zero."""
    begins = (-300.0, *moments)

    def started(now: float) -> float:
        return max(begin for begin in begins if begin <= now)

    def counted(now: float) -> float:
        begin = started(now)
        return 20.0 * (now - begin) + (base if begin == begins[0] else 0)

    job.target(started=(lambda now: HOUR_AGO if started(now) == begins[0] else started(now)) if told else None)
    _fast_only(job, counted)


def _buckets_only(job: Job) -> None:
    """A young process starts again, untold; `_count` and `_sum` are not kept, and the end is above the baseline."""
    job.target(started=None)
    for edge in EDGES:
        at = (lambda now: 20.0 * (now + 20 if now < 25 else now - 25)) if edge >= 1 else (lambda _: 0.0)
        job.series("work_duration_seconds_bucket", at, le="+Inf" if edge == EDGES[-1] else repr(edge))


def _fast_only(job: Job, counted: At, instance: str = "i1") -> None:
    for edge in EDGES:
        at = counted if edge >= 1 else (lambda _: 0.0)
        le = "+Inf" if edge == EDGES[-1] else repr(edge)
        job.series("work_duration_seconds_bucket", at, instance=instance, le=le)
    job.series("work_duration_seconds_count", counted, instance=instance)
    job.series("work_duration_seconds_sum", lambda now: 0.6 * (counted(now) or 0), instance=instance)


def _to_a_higher_value(job: Job) -> None:
    """A young process restarts, and counts more until the next scrape than it had before: no counter falls."""
    job.target(started=lambda now: -20.0 if now < 20 else 18.0)
    _fast_only(job, lambda now: max(0.0, 2 * (now + 13)) if now < 20 else 100 + 20 * (now - 20))


def _one_of_three(job: Job) -> None:
    job.target("i1")
    job.target("i2")
    job.target("i3", started=lambda now: HOUR_AGO if now < 30 else 26.0)
    for instance in ("i1", "i2"):
        job.histogram([fast(300)], instance=instance)
    _fast_only(job, lambda now: 5000 + 20 * now if now < 30 else 20 * (now - 26), "i3")


def _in_turn(job: Job, *, told: bool = True) -> None:
    """Two replicas behind one address, scraped in turn; each observes ten times a second."""

    def is_first(now: float) -> bool:
        return round((now - job.scrapes[0]) / job.interval) % 2 == 0

    started = (lambda now: HOUR_AGO if is_first(now) else 2 * HOUR_AGO) if told else None
    job.target(started=started)
    _fast_only(job, lambda now: (100_000 if is_first(now) else 900_000) + 10 * (now + 20))


def _another_replica_once(job: Job) -> None:
    """The load balancer moves on once, to a replica that has counted more: nothing falls."""
    job.target(started=lambda now: HOUR_AGO if now < 30 else 2 * HOUR_AGO)
    _fast_only(job, lambda now: (100_000 if now < 30 else 900_000) + 10 * (now + 20))


def _ratio_restarts(job: Job) -> None:
    job.target(started=lambda now: HOUR_AGO if now < 30 else 27.0)
    job.series("calls_total", lambda now: 5000 + 20 * now if now < 30 else 20 * (now - 27))
    job.series("call_errors_total", lambda now: 40.0 if now < 30 else 0.0)


CASES = (
    Case(name="restart", pitfalls=("8",), slo=_P99, write=lambda job: _restarts(job, 25.0), truth=invalid(_LOST)),
    Case(
        name="restarts",
        pitfalls=("8",),
        slo=_P99,
        write=lambda job: _restarts(job, 11.0, 25.0, 41.0),
        truth=invalid(_LOST),
    ),
    Case(
        name="reset-untold",
        pitfalls=("8",),
        slo=_P99,
        write=lambda job: _restarts(job, 25.0, told=False),
        truth=invalid(f"counters fall, though no process says that it started; {_LOST}"),
    ),
    Case(
        name="reset-of-buckets-alone",
        pitfalls=("8",),
        slo=_P99,
        write=_buckets_only,
        truth=invalid(f"the buckets fall from 840 to 40; {_LOST}"),
    ),
    Case(
        name="reset-behind-the-baseline",
        pitfalls=("8",),
        slo=_P99,
        write=lambda job: _restarts(job, 1.0),
        truth=invalid(f"the process started 1 s into the window; {_LOST}"),
    ),
    Case(
        name="reset-before-the-baseline",
        pitfalls=("8",),
        slo=_P99,
        write=lambda job: _restarts(job, -6.0),
        truth=passes(GOOD, "the scrape 3 s before the window is of the new process: 60 s of 20 a second", count=1200),
    ),
    Case(
        name="reset-to-a-higher-value",
        pitfalls=("8",),
        slo=_P99,
        write=_to_a_higher_value,
        truth=invalid(f"no counter fell, but the process is another one; {_LOST}"),
    ),
    Case(
        name="one-of-three-restarts",
        pitfalls=("8",),
        slo=_P99,
        targets=3,
        write=_one_of_three,
        truth=invalid(_LOST),
    ),
    Case(
        name="ratio-over-a-restart",
        pitfalls=("8",),
        slo="{bad: call_errors_total, total: calls_total, max: 1%}",
        write=_ratio_restarts,
        truth=invalid(_LOST),
    ),
    Case(
        name="replicas-in-turn",
        pitfalls=("9",),
        slo=_P99,
        write=_in_turn,
        truth=invalid("two processes answer for one target: differences between them count nothing"),
    ),
    Case(
        name="replicas-in-turn-untold",
        pitfalls=("9",),
        slo=_P99,
        write=lambda job: _in_turn(job, told=False),
        truth=invalid("the counters go up and down by 800,000 with every scrape"),
    ),
    Case(
        name="another-replica-once",
        pitfalls=("9",),
        slo=_P99,
        write=_another_replica_once,
        truth=invalid("800,000 of the difference lie between two processes; a start time tells"),
    ),
)
