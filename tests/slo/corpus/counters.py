"""Single events, and counts that a bound meets exactly."""

from __future__ import annotations

from tests.slo.corpus.model import Case
from tests.slo.corpus.model import Truth
from tests.slo.corpus.model import fails
from tests.slo.corpus.model import lasting
from tests.slo.corpus.model import passes
from tests.slo.corpus.writing import Job


def _events(job: Job, *at: float, born: bool = False) -> None:
    """A counter with one event at each time; born: the first event makes the series."""
    job.target()
    before = 0 if born else 12
    job.counter("evictions_total", [(when, 1) for when in at], before=before, born=min(at) if born else -100)


def _steadily(job: Job, number: int) -> None:
    job.target()
    job.counter("evictions_total", [(3 + 50 * n / number, 1) for n in range(number)])


def _case(name: str, bound: str, at: tuple[float, ...], truth: Truth, *, born: bool = False) -> Case:
    return Case(
        name=name,
        pitfalls=("10", "11") if born else ("11",),
        slo=f"{{counter: evictions_total, {bound}}}",
        write=lambda job: _events(job, *at, born=born),
        truth=truth,
    )


_ONE = fails(1.0, "one event")
_ONE_ALLOWED = passes(1.0, "one event")

CASES = (
    _case("one-event-early", "max: 0", (4,), _ONE),
    _case("one-event-in-the-middle", "max: 0", (30,), _ONE),
    _case("one-event-late", "max: 0", (51,), _ONE),
    _case("one-event-between-baseline-and-first-scrape", "max: 0", (1,), _ONE),
    _case("one-event-born", "max: 0", (30,), fails(1.0, "one event, which made the series"), born=True),
    _case("one-event-allowed-early", "max: 1", (4,), _ONE_ALLOWED),
    _case("one-event-allowed-in-the-middle", "max: 1", (30,), _ONE_ALLOWED),
    _case("one-event-allowed-late", "max: 1", (51,), _ONE_ALLOWED),
    _case("no-event", "max: 0", (-9,), passes(0.0, "the one event was before the window")),
    _case("exactly-three", "equals: 3", (10, 20, 30), passes(3.0, "three events")),
    Case(
        name="one-event-in-ten-minutes",
        pitfalls=("11",),
        slo="{counter: evictions_total, max: 1}",
        window=lasting(600),
        interval=30,
        write=lambda job: _events(job, 300),
        truth=passes(1.0, "one event"),
    ),
    Case(
        name="just-enough",
        pitfalls=("11",),
        slo="{counter: evictions_total, min: 100}",
        write=lambda job: _steadily(job, 100),
        truth=passes(100.0, "100 events between 3 and 53 s"),
    ),
    Case(
        name="not-quite-enough",
        pitfalls=("11",),
        slo="{counter: evictions_total, min: 100}",
        write=lambda job: _steadily(job, 95),
        truth=fails(95.0, "95 events between 3 and 53 s"),
    ),
    Case(
        name="twenty-allowed",
        pitfalls=("11",),
        slo="{counter: evictions_total, max: 20}",
        write=lambda job: _steadily(job, 20),
        truth=passes(20.0, "20 events between 3 and 53 s"),
    ),
)
