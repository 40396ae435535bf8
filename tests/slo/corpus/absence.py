"""Ratios, and zeros that nobody counted: with and without a witness."""

from __future__ import annotations

from tests.slo.corpus.model import Case
from tests.slo.corpus.model import fails
from tests.slo.corpus.model import invalid
from tests.slo.corpus.model import passes
from tests.slo.corpus.writing import Job
from tests.slo.corpus.writing import fast

_RATIO = "{bad: call_errors_total, total: calls_total, max: 1%"
_ZERO = f"{_RATIO}, absent: {{bad: zero}}}}"


def _calls(job: Job, calls: int, errors: int | None, *, born: bool = False) -> None:
    """One target with calls, and with errors or without the series of errors."""
    job.target()
    job.counter("calls_total", [(20, calls)])
    if errors is not None:
        job.counter("call_errors_total", [(20, errors)], before=0 if born else 7, born=20 if born else -100)


def _down_at_the_end(job: Job) -> None:
    kept = [when for when in job.scrapes if when < 40]
    job.target(up=lambda now: 1.0 if now in kept else 0.0)
    job.series("calls_total", lambda now: 5000.0 + (1000 if now >= 20 else 0), scrapes=kept)


def _two_verbs(job: Job) -> None:
    job.target()
    for verb, calls in (("GET", 900), ("POST", 100)):
        job.counter("calls_total", [(20, calls)], verb=verb)
    job.counter("call_errors_total", [(20, 5)], before=0, born=20, verb="POST")


def _failing_fast(job: Job) -> None:
    """A third of the requests fails at once, which makes the latency look better."""
    job.target()
    job.histogram([(20, 0.1, 300), fast(600)])
    job.counter("calls_total", [(20, 900)])
    job.counter("call_errors_total", [(20, 300)], before=2)


def _evictions(job: Job, up: bool) -> None:
    job.target(up=lambda _: 1.0 if up else 0.0)


CASES = (
    Case(
        name="ratio-on-the-bound",
        pitfalls=("clean",),
        slo=f"{_RATIO}}}",
        write=lambda job: _calls(job, 1000, 10),
        truth=passes(0.01, "10 of 1000 failed", count=1000),
    ),
    Case(
        name="ratio-on-an-awkward-bound",
        pitfalls=("clean",),
        slo="{bad: call_errors_total, total: calls_total, max: 3%}",
        write=lambda job: _calls(job, 700, 21),
        truth=passes(0.03, "21 of 700 failed", count=700),
    ),
    Case(
        name="ratio-off-by-one",
        pitfalls=("clean",),
        slo=f"{_RATIO}}}",
        write=lambda job: _calls(job, 1000, 11),
        truth=fails(0.011, "11 of 1000 failed", count=1000),
    ),
    Case(
        name="ratio-of-few",
        pitfalls=("28",),
        slo=f"{_RATIO}, min_count: 500}}",
        write=lambda job: _calls(job, 100, 0),
        truth=invalid("100 calls, the SLO needs 500"),
    ),
    Case(
        name="errors-born",
        pitfalls=("10",),
        slo=f"{_RATIO}}}",
        write=lambda job: _calls(job, 1000, 20, born=True),
        truth=fails(0.02, "20 of 1000 failed; the first error made the series", count=1000),
    ),
    Case(
        name="errors-born-where-zero-is-declared",
        pitfalls=("4", "10"),
        slo=_ZERO,
        write=lambda job: _calls(job, 1000, 20, born=True),
        truth=fails(0.02, "20 of 1000 failed; the first error made the series", count=1000),
    ),
    Case(
        name="errors-of-one-verb-born",
        pitfalls=("10",),
        slo="{bad: call_errors_total, total: calls_total, by: [verb], max: 1%, absent: {bad: zero}}",
        write=_two_verbs,
        truth=fails(0.05, "5 of 100 POST failed", count=1000),
    ),
    Case(
        name="no-errors-declared",
        pitfalls=("4",),
        slo=_ZERO,
        write=lambda job: _calls(job, 1000, None),
        truth=passes(0.0, "no error was ever counted, and the target that would was scraped", count=1000),
    ),
    Case(
        name="no-errors-undeclared",
        pitfalls=("4",),
        slo=f"{_RATIO}}}",
        write=lambda job: _calls(job, 1000, None),
        truth=invalid("there is no error counter, and the SLO does not say what that means"),
    ),
    Case(
        name="no-errors-witness-idle",
        pitfalls=("4",),
        slo=_ZERO,
        write=lambda job: _calls(job, 0, None),
        truth=invalid("0 of 0 calls failed"),
    ),
    Case(
        name="no-errors-witness-down",
        pitfalls=("4",),
        slo=_ZERO,
        write=_down_at_the_end,
        truth=invalid("the target was down for the last 20 s: nobody knows what it counted"),
    ),
    Case(
        name="fast-failures-latency",
        pitfalls=("23",),
        slo="{histogram: work_duration_seconds, p: 99, max: 1s}",
        write=_failing_fast,
        truth=passes((0.5, 1.0), "all 900 are at most 0.6 s; that 300 of them failed is the ratio's to say", count=900),
    ),
    Case(
        name="fast-failures-ratio",
        pitfalls=("23",),
        slo=f"{_RATIO}}}",
        write=_failing_fast,
        truth=fails(1 / 3, "300 of 900 failed", count=900),
    ),
    Case(
        name="counter-absent-declared",
        pitfalls=("4",),
        slo="{counter: never_seen_evictions, max: 0, absent: {counter: zero}}",
        write=lambda job: _evictions(job, True),
        truth=passes(0.0, "never counted, and the target that would have was scraped"),
    ),
    Case(
        name="counter-absent-undeclared",
        pitfalls=("4",),
        slo="{counter: never_seen_evictions, max: 0}",
        write=lambda job: _evictions(job, True),
        truth=invalid("there is no such counter, and the SLO does not say what that means"),
    ),
    Case(
        name="counter-absent-witness-down",
        pitfalls=("4",),
        slo="{counter: never_seen_evictions, max: 0, absent: {counter: zero}}",
        write=lambda job: _evictions(job, False),
        truth=invalid("the target that would have counted was down"),
    ),
    Case(
        name="query-absent-declared",
        pitfalls=("4",),
        slo='{query: "sum(max_over_time(never_seen_queue[${w}]))", unit: count, max: 0, absent: {query: zero}}',
        plain="sum(never_seen_queue)",
        write=lambda job: _evictions(job, True),
        truth=passes(0.0, "never shown, and the target that would have was scraped"),
    ),
)
