"""Windows in slices: thirty observations a minute for an hour, five-minute slices that end every minute."""

from __future__ import annotations

from collections.abc import Iterable

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

_HOUR = lasting(3600)


def _minutes(job: Job, busy: Iterable[int], bad: Iterable[int], each: int = 30) -> None:
    """In each busy minute, at its 20th second, 0.6 s; in each bad one 4 s. The scrape 7 s later sees them."""
    job.target()
    bad = set(bad)
    job.histogram([slow(each, at=60 * n + 20) if n in bad else fast(each, at=60 * n + 20) for n in busy])


def _case(name: str, window: str, busy: Iterable[int], bad: Iterable[int], truth: Truth, row: str = "4.2") -> Case:
    busy, bad = tuple(busy), tuple(bad)
    return Case(
        name=name,
        pitfalls=(row,),
        slo=f"{{histogram: work_duration_seconds, p: 90, max: 1s, min_count: 20, window: '{window}'}}",
        window=_HOUR,
        interval=15,
        write=lambda job: _minutes(job, busy, bad),
        truth=truth,
    )


def _burst_of_retries(job: Job) -> None:
    job.target()
    job.counter("retries_total", [(60 * n + 20, 1) for n in range(60)] + [(1820, 30)])


def _errors(job: Job) -> None:
    """A hundred calls a minute; a tenth of one minute's fails."""
    job.target()
    job.counter("calls_total", [(60 * n + 20, 100) for n in range(60)])
    job.counter("call_errors_total", [(1820, 10)], before=3)


_ALL = range(60)
_FIVE_BAD = "56 slices, of which the 5 that hold minute 30 have 30 of 150 at 4 s"

CASES = (
    _case("sliding-clean", "sliding(5m, step=1m, good=99%)", _ALL, (), passes(GOOD, "all are 0.6 s", count=1800)),
    _case(
        "sliding-just-good",
        "sliding(5m, step=1m, good=91%)",
        _ALL,
        (30,),
        passes(GOOD, f"{_FIVE_BAD}: 51 of 56 are 91.07 %", count=1800),
    ),
    _case(
        "sliding-just-bad",
        "sliding(5m, step=1m, good=92%)",
        _ALL,
        (30,),
        fails(SLOW, f"{_FIVE_BAD}: 51 of 56 are 91.07 %", count=1800),
    ),
    _case("peak-one-bad-minute", "peak(5m, step=1m)", _ALL, (30,), fails(SLOW, _FIVE_BAD, count=1800)),
    _case("peak-clean", "peak(5m, step=1m)", _ALL, (), passes(GOOD, "all are 0.6 s", count=1800)),
    _case("whole-one-bad-minute", "whole", _ALL, (30,), passes(GOOD, "30 of 1800 are 4 s", count=1800)),
    _case(
        "sliding-idle-hides",
        "sliding(5m, step=1m, good=90%)",
        range(10),
        (9,),
        fails(SLOW, "of the 10 slices that hold anything the 5 with minute 9 are bad; 46 are idle", count=300),
    ),
    _case(
        "sliding-mostly-idle",
        "sliding(5m, step=1m, good=90%)",
        range(10),
        (),
        passes(GOOD, "all 10 slices that hold anything are good; 46 are idle", count=300),
    ),
    _case(
        "peak-idle-but-one-bad-minute",
        "peak(5m, step=1m)",
        (30,),
        (30,),
        fails(SLOW, "the 5 slices that hold minute 30 have nothing but its 30 of 4 s", count=30),
    ),
    _case("sliding-idle", "sliding(5m, step=1m, good=90%)", (), (), invalid("nothing was observed")),
    _case(
        "peak-bad-last-minute",
        "peak(5m, step=1m)",
        _ALL,
        (59,),
        fails(SLOW, "the last slice holds minute 59, 30 of 150 at 4 s", count=1800),
    ),
    _case(
        "peak-bad-first-minute",
        "peak(5m, step=1m)",
        _ALL,
        (0,),
        fails(SLOW, "the first slice holds minute 0, 30 of 150 at 4 s", count=1800),
    ),
    Case(
        name="window-shorter-than-a-slice",
        pitfalls=("4.2",),
        slo="{histogram: work_duration_seconds, p: 90, max: 1s, window: 'peak(5m, step=1m)'}",
        write=lambda job: job.observed(fast(300)),
        truth=invalid("a window of 60 s holds no slice of 5 min"),
    ),
    Case(
        name="peak-of-a-counter",
        pitfalls=("4.2", "11"),
        slo="{counter: retries_total, max: 34, window: 'peak(5m, step=1m)'}",
        window=_HOUR,
        interval=15,
        write=_burst_of_retries,
        truth=fails(35.0, "5 in every five minutes, and 30 more in minute 30"),
    ),
    Case(
        name="peak-of-a-counter-kept",
        pitfalls=("4.2", "11"),
        slo="{counter: retries_total, max: 35, window: 'peak(5m, step=1m)'}",
        window=_HOUR,
        interval=15,
        write=_burst_of_retries,
        truth=passes(35.0, "5 in every five minutes, and 30 more in minute 30"),
    ),
    Case(
        name="peak-of-a-ratio",
        pitfalls=("4.2",),
        slo="{bad: call_errors_total, total: calls_total, max: 1%, window: 'peak(5m, step=1m)'}",
        window=_HOUR,
        interval=15,
        write=_errors,
        truth=fails(0.02, "10 of the 500 calls of each slice that holds minute 30 failed", count=6000),
    ),
)
